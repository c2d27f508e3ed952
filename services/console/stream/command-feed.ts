import type { Command, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ConnectError } from '@connectrpc/connect';
import { backoffMs } from './backoff.ts';
import { Batch } from './batch.ts';
import { commands, NO_DEADLINE } from './services.ts';
import { isFinal, watch } from './watch.ts';

/** What a list of commands is narrowed to; empty fields match everything. */
export interface CommandWish {
  readonly executor: string;
  readonly states: readonly CommandState[];
  readonly kinds: readonly string[];
}

/** A list as it is drawn: newest first. */
export interface CommandRows {
  readonly rows: readonly Command[];
  readonly loading: boolean;
  /** Older ones are there to be loaded. */
  readonly more: boolean;
  /** So many that only the newest are kept. */
  readonly cut: boolean;
  readonly error: unknown;
}

const PAGE_SIZE = 500;
/** What a page that is open for days may hold. */
const KEPT_MAX = 20_000;
const EMPTY: CommandRows = { rows: [], loading: true, more: false, cut: false, error: null };

/**
 * A live list: older commands by the page, whatever happens now by the stream. What the stream says is at least as new as what a
 * page says, so a page never overwrites it; the stream is opened before the first page is asked for, so nothing falls between.
 */
export class CommandFeed {
  readonly #wish: CommandWish;
  readonly #byId = new Map<string, Command>();
  readonly #listeners = new Set<() => void>();
  #state = EMPTY;
  #cursor = '';
  #nextPage = '';
  #stop: (() => void) | undefined;
  #generation = 0;
  #failures = 0;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(wish: CommandWish) {
    this.#wish = wish;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#end();
    };
  };

  readonly read = (): CommandRows => this.#state;

  /** Loads the next page of older ones. */
  readonly loadMore = (): void => {
    if (!this.#state.loading && this.#state.more) void this.#loadPage();
  };

  #start(): void {
    const batch = new Batch<Command>((changed) => this.#take(changed));
    const { executor, kinds } = this.#wish;
    let opened = false;
    const stopWatch = watch({
      // Not narrowed by state: a command that leaves the state leaves the list.
      open: (signal) =>
        commands.watchCommands(
          { filter: { executor, kinds: [...kinds] }, cursor: this.#cursor },
          { signal, ...NO_DEADLINE },
        ),
      onMessage: ({ cursor, command }) => {
        this.#cursor = cursor;
        if (command !== undefined) batch.add(command);
        if (!opened) {
          opened = true;
          void this.#loadPage();
        }
      },
      onTooOld: () => {
        this.#forget();
        opened = false;
      },
      onRefused: (error) => this.#become({ ...this.#state, loading: false, error }),
    });
    this.#stop = () => {
      stopWatch();
      batch.drop();
    };
  }

  #end(): void {
    this.#stop?.();
    this.#forget();
    this.#state = EMPTY;
  }

  /** A page that is on its way belongs to what was before. */
  #forget(): void {
    clearTimeout(this.#again);
    this.#generation += 1;
    this.#failures = 0;
    this.#cursor = '';
    this.#nextPage = '';
    this.#byId.clear();
  }

  /** One that fails for now is asked for again, ever more slowly; it stays under way meanwhile. */
  async #loadPage(): Promise<void> {
    const generation = this.#generation;
    this.#become({ ...this.#state, loading: true });
    const { executor, states, kinds } = this.#wish;
    try {
      const filter = { executor, states: [...states], kinds: [...kinds] };
      const page = await commands.listCommands({ filter, pageSize: PAGE_SIZE, pageToken: this.#nextPage });
      if (generation !== this.#generation) return;
      this.#failures = 0;
      this.#nextPage = page.nextPageToken;
      for (const command of page.commands) if (!this.#byId.has(command.id)) this.#byId.set(command.id, command);
      this.#show({ ...this.#state, loading: false, error: null });
    } catch (error) {
      if (generation !== this.#generation) return;
      const final = isFinal(ConnectError.from(error));
      this.#become({ ...this.#state, loading: !final, more: false, error });
      if (final) return;
      this.#failures += 1;
      this.#again = setTimeout(() => void this.#loadPage(), backoffMs(this.#failures));
    }
  }

  #take(changed: readonly Command[]): void {
    for (const command of changed) this.#byId.set(command.id, command);
    this.#show(this.#state);
  }

  /** Newest first, and no more of them than are kept. */
  #show(state: CommandRows): void {
    const { states } = this.#wish;
    const all = [...this.#byId.values()];
    const matching = states.length === 0 ? all : all.filter((command) => states.includes(command.state));
    const rows = matching.toSorted((a, b) => (a.sequence < b.sequence ? 1 : -1));
    const cut = state.cut || rows.length > KEPT_MAX;
    const kept = rows.slice(0, KEPT_MAX);
    // While a page is under way it may hold an older word on what has left the list since.
    if (!state.loading && kept.length < all.length) {
      this.#byId.clear();
      for (const command of kept) this.#byId.set(command.id, command);
    }
    const more = !state.loading && !cut && this.#nextPage !== '';
    this.#become({ ...state, rows: kept, cut, more });
  }

  #become(state: CommandRows): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
