import type { Channel, Notice } from '../domain/alert.ts';

/** A way to people. */
export interface NoticeChannel {
  readonly name: Channel;
  /** Notices that go together. */
  readonly noticesMax: number;
  /** Resolves when the other side has taken them. @throws Error saying why it has not, without secrets */
  send(notices: readonly Notice[]): Promise<void>;
}
