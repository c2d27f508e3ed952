import type { Clock } from '../../platform/clock.ts';
import type { NoticeChannel } from '../delivery/channel.ts';
import type { AlertBook } from '../domain/alert-book.ts';

/** What the handlers need; `service.ts` provides it. */
export interface AlertHandlerDependencies {
  readonly book: Pick<AlertBook, 'list' | 'lookMs'>;
  readonly channels: readonly NoticeChannel[];
  readonly clock: Clock;
}
