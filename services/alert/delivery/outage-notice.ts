import { v7 as uuid } from 'uuid';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Channel, Notice, NoticeKind } from '../domain/alert.ts';
import { PLATFORM } from '../domain/condition.ts';
import type { NoticeChannel } from './channel.ts';

export interface OutageNoticeOptions {
  readonly channels: readonly NoticeChannel[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** A watch that fails for less is nobody's business. */
  readonly holdMs: number;
  readonly remindEveryMs: number;
}

interface Outage {
  readonly id: string;
  readonly sinceMs: number;
  /** Of the last look: a server that stops says so first, and is then not there. */
  reason: string;
}

/** What a channel has been told of an outage: how many notices, and when the last one. */
interface Told {
  readonly outage: Outage;
  readonly notices: number;
  readonly atMs: number;
}

/**
 * Tells over every channel that this replica cannot watch the rules, mostly because the database is away, and that it can
 * again. It remembers in memory alone, for what is away is where alerts and notices are kept: every replica tells it for itself.
 */
export class OutageNotice {
  readonly #options: OutageNoticeOptions;
  readonly #told = new Map<Channel, Told>();
  #outage: Outage | undefined;

  constructor(options: OutageNoticeOptions) {
    this.#options = options;
  }

  /** After a look that failed. Never rejects: what a channel does not take is told after the next one. */
  async failed(reason: string): Promise<void> {
    const { channels, clock, holdMs, remindEveryMs } = this.#options;
    const nowMs = clock.nowMs();
    this.#outage ??= { id: uuid(), sinceMs: nowMs, reason };
    const outage = this.#outage;
    outage.reason = reason;
    if (nowMs - outage.sinceMs < holdMs) return;
    await Promise.all(
      channels.map(async (channel) => {
        const before = this.#told.get(channel.name);
        const told = before?.outage === outage ? before : { outage, notices: 0, atMs: -Infinity };
        if (nowMs - told.atMs < remindEveryMs) return;
        // An answer may be lost on its way: what may have been told is to have its end.
        this.#told.set(channel.name, told);
        const notices = told.notices + 1;
        if (await this.#tell(channel, told.notices === 0 ? 'FIRING' : 'REMINDER', told)) {
          this.#told.set(channel.name, { outage, notices, atMs: nowMs });
        }
      }),
    );
  }

  /** After a look that did not fail. Never rejects. */
  async succeeded(): Promise<void> {
    this.#outage = undefined;
    await Promise.all(
      this.#options.channels.map(async (channel) => {
        const told = this.#told.get(channel.name);
        if (told !== undefined && (await this.#tell(channel, 'RECOVERED', told))) this.#told.delete(channel.name);
      }),
    );
  }

  async #tell(channel: NoticeChannel, kind: NoticeKind, { outage, notices }: Told): Promise<boolean> {
    const { clock, logger } = this.#options;
    const { id, sinceMs, reason } = outage;
    const notice: Notice = {
      id: `${id}-${notices}-${kind.toLowerCase()}`,
      channel: channel.name,
      kind,
      accountId: PLATFORM,
      rule: 'WATCH_FAILING',
      subject: 'platform',
      occurrence: 1,
      sentence: `this replica of alert cannot watch the platform since ${new Date(sinceMs).toISOString()}: ${reason}`,
      next: 'strategos doctor',
      fireMs: sinceMs,
      createMs: clock.nowMs(),
      attempt: 0,
    };
    try {
      await channel.send([notice]);
      return true;
    } catch (thrown) {
      logger.warn({ channel: channel.name, reason: messageOf(thrown) }, 'notice not delivered');
      return false;
    }
  }
}
