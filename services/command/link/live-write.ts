import type { PendingChange } from '../delivery/change-queue.ts';
import type { ChangedCommand } from '../domain/repository.ts';
import type { LiveCommand } from './live-command.ts';

/** A change on its way to the database, and whether the agent is to be told of it afterwards. */
export interface TakenChange {
  readonly row: ChangedCommand;
  readonly deliver: boolean;
}

/** Who hears what became of a write. */
export interface WriteEnds {
  written(live: LiveCommand, taken: TakenChange): void;
  /** Somebody else wrote first, or the stream is no longer the newest. */
  overtaken(live: LiveCommand): void;
  failed(live: LiveCommand, thrown: unknown): void;
}

/**
 * One write of an open command, with everything that happens to it until its batch is made. Thousands are under way at once: a
 * promise each, with its closures, was a sixth of what a busy replica kept alive.
 */
export class LiveWrite implements PendingChange {
  readonly commandId: string;
  readonly #live: LiveCommand;
  readonly #fenceEpoch: number;
  readonly #ends: WriteEnds;
  #taken: TakenChange | undefined;

  constructor(live: LiveCommand, fenceEpoch: number, ends: WriteEnds) {
    this.commandId = live.durable.id;
    this.#live = live;
    this.#fenceEpoch = fenceEpoch;
    this.#ends = ends;
  }

  take(): ChangedCommand {
    const live = this.#live;
    const { current, durable, steps, deliver } = live;
    live.writing = live.events;
    live.steps = [];
    live.events = [];
    live.deliver = false;
    this.#taken = {
      row: { command: current, before: durable, steps, fenceEpoch: this.#fenceEpoch },
      deliver,
    };
    return this.#taken.row;
  }

  resolve(written: boolean): void {
    try {
      if (this.#taken === undefined) throw new Error('the ledger answered without taking the change');
      if (written) this.#ends.written(this.#live, this.#taken);
      else this.#ends.overtaken(this.#live);
    } catch (thrown) {
      this.#ends.failed(this.#live, thrown);
    }
  }

  reject(reason: unknown): void {
    this.#ends.failed(this.#live, reason);
  }
}
