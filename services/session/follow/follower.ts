import { Code, ConnectError } from '@connectrpc/connect';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import type { Followed, FollowBook, Progress } from '../domain/follower.ts';
import type { Upstream } from '../upstream.ts';
import { observedFromProto } from '../wire/observed-from-proto.ts';
import { readCommandNews } from './command-follow.ts';
import { stretches } from './stretches.ts';
import { readVenueNews } from './venue-follow.ts';

const AGAIN_BACKOFF = { firstMs: 200, maxMs: 5_000 } as const;

export interface FollowerOptions {
  readonly book: FollowBook;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly followed: Followed;
}

type Stream = Progress['stream'];

/** Follows one account's commands and venue events, and writes what they mean together with how far it has come. */
export class Follower implements Running {
  readonly #options: FollowerOptions;
  readonly #over = new AbortController();
  readonly #cursors: Record<Stream, string>;
  readonly #done: Promise<unknown>;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#cursors = { commands: options.followed.commandCursor, venue: options.followed.venueCursor };
    this.#done = Promise.all([this.#follow('commands'), this.#follow('venue')]);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Ends with `stop` alone: a stream that breaks is opened again from the last cursor. */
  async #follow(stream: Stream): Promise<void> {
    const { clock, logger, followed } = this.#options;
    const { signal } = this.#over;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const attempt = new AbortController();
        const over = AbortSignal.any([signal, attempt.signal]);
        try {
          await (stream === 'commands' ? this.#commands(over) : this.#venue(over));
        } finally {
          // What failed may have been the handling: the stream must not stay open behind it.
          attempt.abort();
        }
        failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        if (ConnectError.from(thrown).code === Code.OutOfRange) this.#begin(stream);
        const about = { accountId: followed.accountId, stream, reason: messageOf(thrown) };
        logger[failures === 0 ? 'debug' : 'warn'](about, 'stream of news interrupted');
      }
      if (signal.aborted) return;
      await pause(clock, backoffMs(failures + 1, AGAIN_BACKOFF), signal);
    }
  }

  /** What happened before the oldest that is kept is lost; sessions look at their open commands by themselves. */
  #begin(stream: Stream): void {
    const { followed, logger } = this.#options;
    logger.warn({ accountId: followed.accountId, stream }, 'cursor too old, following from the oldest that is kept');
    this.#cursors[stream] = '';
  }

  async #commands(signal: AbortSignal): Promise<void> {
    const { upstream, followed, book } = this.#options;
    const cursor = this.#cursors.commands;
    const events = upstream.commands.watchCommands(
      { cursor, fromStart: cursor === '' },
      upstream.as(followed.accountId, { signal, timeoutMs: 0 }),
    );
    for await (const stretch of stretches(events, signal)) {
      const news = await readCommandNews(book, followed.accountId, stretch);
      await this.#advance('commands', stretch.at(-1)?.cursor ?? '', news);
    }
  }

  async #venue(signal: AbortSignal): Promise<void> {
    const { upstream, followed, book } = this.#options;
    const cursor = this.#cursors.venue;
    const events = upstream.executors.watchVenueEvents(
      { cursor, fromStart: cursor === '' },
      upstream.as(followed.accountId, { signal, timeoutMs: 0 }),
    );
    for await (const stretch of stretches(events, signal)) {
      const news = await readVenueNews(book, followed.accountId, stretch, (accountId, ids) =>
        this.#readCommands(accountId, ids),
      );
      await this.#advance('venue', stretch.at(-1)?.cursor ?? '', news);
    }
  }

  async #readCommands(accountId: string, ids: readonly string[]) {
    const { upstream } = this.#options;
    const answers = await Promise.allSettled(
      ids.map((id) => upstream.commands.getCommand({ id }, upstream.as(accountId))),
    );
    return answers.flatMap((answer) => {
      if (answer.status === 'fulfilled') {
        return answer.value.command === undefined ? [] : [observedFromProto(answer.value.command)];
      }
      // One that retention has removed was settled long ago; one that cannot be asked now must be asked again.
      if (ConnectError.from(answer.reason).code === Code.NotFound) return [];
      throw answer.reason;
    });
  }

  async #advance(stream: Stream, cursor: string, news: Pick<Progress, 'changes' | 'commands'>): Promise<void> {
    const { book, followed } = this.#options;
    const { accountId, epoch } = followed;
    if (cursor === '') return;
    await book.advance({ accountId, epoch, stream, cursor, ...news });
    this.#cursors[stream] = cursor;
  }
}
