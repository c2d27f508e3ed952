import type { Pool } from 'pg';
import { Batcher } from '../../platform/batcher.ts';
import type { Logger } from '../../platform/logger.ts';
import * as linkStore from '../store/link-store.ts';
import { plain } from './frames.ts';
import type { SessionRegistry } from './registry.ts';
import type { ExecutorSession } from './session.ts';

const BEAT_INTERVAL_MS = 1_000;
/** Round trips are for the operator's eye: one in so many streams is noted with each beat, so that thousands never are at once. */
const BEATS_PER_NOTE = 15;
const ROWS_PER_STATEMENT_MAX = 500;

/** Keeps what the executors' rows say of this replica's streams: that the replica lives, which streams ended and why. */
export class StreamRecords {
  readonly #pool: Pool;
  readonly #logger: Logger;
  readonly #replicaId: string;
  readonly #registry: SessionRegistry;
  readonly #closed: Batcher<linkStore.ClosedStream, undefined>;
  readonly #notes: Batcher<linkStore.StreamNote, undefined>;
  #beatTimer: NodeJS.Timeout | undefined;
  #beats = 0;
  #beating = true;

  constructor(pool: Pool, logger: Logger, replicaId: string, registry: SessionRegistry) {
    this.#pool = pool;
    this.#logger = logger;
    this.#replicaId = replicaId;
    this.#registry = registry;
    this.#closed = new Batcher({
      itemsMax: ROWS_PER_STATEMENT_MAX,
      flush: async (streams) => {
        await linkStore.closeOffers(pool, streams);
        return streams.map(() => undefined);
      },
    });
    this.#notes = new Batcher({
      itemsMax: ROWS_PER_STATEMENT_MAX,
      flush: async (notes) => {
        await linkStore.noteOffers(pool, notes);
        return notes.map(() => undefined);
      },
    });
  }

  async start(): Promise<void> {
    await linkStore.replicaBeat(this.#pool, this.#replicaId);
    this.#beatTimer = setInterval(() => this.#beat(), BEAT_INTERVAL_MS);
  }

  /** Records the end of a stream. */
  closed(session: ExecutorSession, reason: string): void {
    const { executorId, epoch } = session.identity;
    // The agent may have said why in its own words, and one that cannot be stored would keep all that end with it online.
    this.#closed.add({ executorId, epoch, reason: plain(reason) }).catch((thrown: unknown) => {
      // Written again with the next beats: an executor that is gone must not look online because the database was away.
      this.#logger.debug({ err: thrown, executorId }, 'end of stream not recorded yet');
      setTimeout(() => this.#beating && this.closed(session, reason), BEAT_INTERVAL_MS).unref();
    });
  }

  note(session: ExecutorSession): void {
    const { inFlightMax, roundTripMs } = session;
    this.#notes.add({ executorId: session.identity.executorId, inFlightMax, roundTripMs }).catch((thrown: unknown) => {
      this.#logger.debug({ err: thrown }, 'round trip not noted');
    });
  }

  /** Waits for what is being written and signs the replica off. */
  async stop(): Promise<void> {
    this.#beating = false;
    clearInterval(this.#beatTimer);
    await Promise.all([this.#closed.stop(), this.#notes.stop()]);
    await linkStore.replicaLeave(this.#pool, this.#replicaId);
  }

  #beat(): void {
    this.#beats += 1;
    for (const [i, session] of this.#registry.all().entries()) {
      if (i % BEATS_PER_NOTE === this.#beats % BEATS_PER_NOTE && session.roundTripMs !== null) this.note(session);
    }
    linkStore.replicaBeat(this.#pool, this.#replicaId).catch((thrown: unknown) => {
      this.#logger.debug({ err: thrown }, 'heartbeat not written');
    });
  }
}
