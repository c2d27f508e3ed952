import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Notice } from '../domain/alert.ts';
import type { AlertBook } from '../domain/alert-book.ts';
import type { NoticeChannel } from './channel.ts';

const RETRY_BACKOFF = { firstMs: 2_000, maxMs: 300_000 } as const;
/** What could not be told for a day is no news any more. */
const GIVE_UP_MS = 86_400_000;
const NOTICES_PER_ROUND_MAX = 200;

export interface DelivererDependencies {
  readonly book: Pick<AlertBook, 'due' | 'settled' | 'postponed'>;
  readonly channels: readonly NoticeChannel[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sends what is due once; what is not taken is due again later. Rejects only while Postgres is away. */
export async function deliverDue({ book, channels, clock, logger }: DelivererDependencies): Promise<void> {
  const due = await book.due(clock.nowMs(), NOTICES_PER_ROUND_MAX);
  const byChannel = Map.groupBy(due, ({ channel }) => channel);
  await Promise.all(
    [...byChannel].map(async ([name, notices]) => {
      const channel = channels.find((candidate) => candidate.name === name);
      for (const together of inBundles(notices, channel?.noticesMax ?? notices.length)) {
        const failure = await failureOf(channel, together);
        if (failure !== undefined) logger.warn({ channel: name, reason: failure }, 'notice not delivered');
        for (const notice of together) await settle(notice, failure);
      }
    }),
  );

  async function settle(notice: Notice, failure: string | undefined): Promise<void> {
    const nowMs = clock.nowMs();
    if (failure === undefined) await book.settled(notice.id);
    else if (nowMs - notice.createMs < GIVE_UP_MS) {
      await book.postponed(notice.id, nowMs + backoffMs(notice.attempt + 1, RETRY_BACKOFF));
    } else {
      logger.error({ channel: notice.channel, noticeId: notice.id, rule: notice.rule }, 'notice given up');
      await book.settled(notice.id);
    }
  }
}

/** Why they did not arrive; undefined when they did. */
async function failureOf(channel: NoticeChannel | undefined, notices: readonly Notice[]): Promise<string | undefined> {
  if (channel === undefined) return 'the channel is not configured any more';
  try {
    await channel.send(notices);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function inBundles<T>(items: readonly T[], sizeMax: number): T[][] {
  const count = Math.ceil(items.length / Math.max(1, sizeMax));
  return Array.from({ length: count }, (_, index) => items.slice(index * sizeMax, (index + 1) * sizeMax));
}
