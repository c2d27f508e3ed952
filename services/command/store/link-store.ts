import type { Pool } from 'pg';
import { repeatedOnConflict } from '../../platform/postgres/failure.ts';
import { run } from './command-store.ts';
import {
  acceptStreams,
  beat,
  closeStreams,
  leave,
  noteStreams,
  readCredentialEnds,
  readRecentlyChanged,
  readStreamFacts,
} from './link-statements.ts';

/** What a Hello says of a stream that asks to be accepted. */
export interface StreamOffer {
  readonly executorId: string;
  readonly link: 'STREAM' | 'POLL';
  readonly journalId: string;
  readonly host: string;
  readonly agentVersion: string;
  readonly contractDigest: string;
  readonly kinds: readonly string[];
  readonly inFlightMax: number;
  /** The agent's clock minus the platform's; null when it is not known. */
  readonly clockOffsetMs: number | null;
}

export interface AcceptedStream {
  readonly epoch: number;
  /** It pushed out a live stream with another journal. */
  readonly takenOver: boolean;
}

interface AcceptedRow {
  readonly id: string;
  readonly stream_epoch: number;
  readonly taken_over: boolean | null;
}

interface CredentialEndRow {
  readonly key_id: string;
  readonly expire_time: number | null;
}

/** Accepts streams; an executor that is missing in the answer is disabled. Offers must name distinct executors. */
export async function acceptOffers(
  pool: Pool,
  replicaId: string,
  offers: readonly StreamOffer[],
): Promise<ReadonlyMap<string, AcceptedStream>> {
  const values = [
    replicaId,
    offers.map((offer) => offer.executorId),
    offers.map((offer) => offer.link),
    offers.map((offer) => offer.journalId),
    offers.map((offer) => offer.host),
    offers.map((offer) => offer.agentVersion),
    offers.map((offer) => offer.contractDigest),
    offers.map((offer) => offer.kinds.join(',')),
    offers.map((offer) => offer.inFlightMax),
    offers.map((offer) => offer.clockOffsetMs),
  ];
  const rows = await repeatedOnConflict(() => run<AcceptedRow>(pool, acceptStreams, values));
  return new Map(rows.map((row) => [row.id, { epoch: row.stream_epoch, takenOver: row.taken_over === true }]));
}

export interface ClosedStream {
  readonly executorId: string;
  readonly epoch: number;
  readonly reason: string;
}

export async function closeOffers(pool: Pool, streams: readonly ClosedStream[]): Promise<void> {
  const values = [
    streams.map((stream) => stream.executorId),
    streams.map((stream) => stream.epoch),
    streams.map((stream) => stream.reason),
  ];
  await repeatedOnConflict(() => run(pool, closeStreams, values));
}

/** What decides whether a stream may go on. */
export interface StreamFacts {
  readonly executorId: string;
  readonly epoch: number;
  readonly disabled: boolean;
  readonly journalId: string | null;
  readonly host: string | null;
  /** When that was last changed, as text: no two changes look the same. */
  readonly change: string;
}

interface FactsRow {
  readonly id: string;
  readonly stream_epoch: number;
  readonly disable_time: number | null;
  readonly journal_id: string | null;
  readonly host: string | null;
  readonly change: string;
}

function factsOf(row: FactsRow): StreamFacts {
  return {
    executorId: row.id,
    epoch: row.stream_epoch,
    disabled: row.disable_time !== null,
    journalId: row.journal_id,
    host: row.host,
    change: row.change,
  };
}

/** What is stored of streams, read whenever it is asked for. */
export interface StoredStreams {
  /** Of those among the executors that exist. */
  factsOf(executorIds: readonly string[]): Promise<readonly StreamFacts[]>;
  changedWithin(seconds: number): Promise<readonly StreamFacts[]>;
  /** When each credential ends, in milliseconds; null where no end is set. A credential that is missing does not exist. */
  credentialEnds(keyIds: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
}

export function storedStreams(pool: Pool): StoredStreams {
  return {
    factsOf: async (executorIds) => (await run<FactsRow>(pool, readStreamFacts, [executorIds])).map(factsOf),
    changedWithin: async (seconds) => (await run<FactsRow>(pool, readRecentlyChanged, [seconds])).map(factsOf),
    credentialEnds: async (keyIds) => {
      const rows = await run<CredentialEndRow>(pool, readCredentialEnds, [keyIds]);
      return new Map(rows.map((row) => [row.key_id, row.expire_time]));
    },
  };
}

export interface StreamNote {
  readonly executorId: string;
  readonly inFlightMax: number;
  readonly roundTripMs: number | null;
}

export async function noteOffers(pool: Pool, notes: readonly StreamNote[]): Promise<void> {
  const values = [
    notes.map((note) => note.executorId),
    notes.map((note) => note.inFlightMax),
    notes.map((note) => note.roundTripMs),
  ];
  await repeatedOnConflict(() => run(pool, noteStreams, values));
}

export async function replicaBeat(pool: Pool, replicaId: string): Promise<void> {
  await run(pool, beat, [replicaId]);
}

export async function replicaLeave(pool: Pool, replicaId: string): Promise<void> {
  await run(pool, leave, [replicaId]);
}
