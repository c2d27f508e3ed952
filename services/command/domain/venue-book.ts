/** What agents report of their venues, as it is stored; `store/` answers with Postgres. Nothing leaves its account. */

/** An event as an agent reports it; the bytes are a VenueEvent. */
export interface NewVenueEvent {
  readonly journalId: string;
  readonly number: number;
  readonly event: Uint8Array;
}

export interface StoredVenueEvent {
  /** Place in the account's events, from 1 without gaps. */
  readonly number: number;
  readonly executorId: string;
  readonly event: Uint8Array;
  readonly storeMs: number;
}

/** A stretch of an account's venue events. */
export interface VenuePage {
  readonly events: readonly StoredVenueEvent[];
  /** Everything up to this number has been looked at; the next page begins after it. */
  readonly throughNumber: number;
  /** More is there right now. */
  readonly more: boolean;
  /** Events up to this number have been removed. */
  readonly removedNumber: number;
}

export interface VenueBook {
  /** Stores those that are new; resolves with how many when all of them are durable. */
  store(accountId: string, executorId: string, events: readonly NewVenueEvent[]): Promise<number>;
  /** Number of the newest event, and the one up to which they have been removed. */
  range(accountId: string): Promise<{ readonly newest: number; readonly removed: number }>;
  /** The account's events after a number, in order; `executorId` narrows it. */
  after(
    accountId: string,
    afterNumber: number,
    page: { readonly eventsMax: number; readonly executorId?: string | undefined },
  ): Promise<VenuePage>;
}

/** Rings after venue events were stored, here or on another replica. A lost ring costs a second, never an event. */
export interface VenueBell {
  /** Calls back after the account's venue events grew; the returned function ends that. Must not throw. */
  onVenueEvents(accountId: string, callback: () => void): () => void;
}
