import { createHmac } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Secret } from '../../platform/config.ts';
import { messageOf } from '../../platform/errors.ts';
import type { NoticeChannel } from './channel.ts';
import { noticeBody } from './notice-text.ts';

const WITHIN_MS = 10_000;
export const SIGNATURE_HEADER = 'strategos-signature';
export const NOTICE_ID_HEADER = 'strategos-notice-id';

export interface WebhookOptions {
  readonly url: Secret;
  /** Signs every request; undefined: none is signed. */
  readonly secret: Secret | undefined;
  readonly clock: Clock;
}

/** POSTs each notice as JSON; anything but 2xx, and a redirect, counts as not taken. */
export function webhook({ url, secret, clock }: WebhookOptions): NoticeChannel {
  return {
    name: 'webhook',
    noticesMax: 1,
    async send([notice]) {
      if (notice === undefined) return;
      const body = noticeBody(notice);
      const headers = {
        'content-type': 'application/json',
        [NOTICE_ID_HEADER]: notice.id,
        ...(secret === undefined ? {} : { [SIGNATURE_HEADER]: signatureOf(body, secret, clock.nowMs()) }),
      };
      const answer = await post(url.reveal(), headers, body);
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
    },
  };
}

/** The URL may hold a secret, so a failure does not name it. */
async function post(url: string, headers: Record<string, string>, body: string): Promise<Response> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  try {
    return await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal });
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown.cause : undefined;
    throw new Error(`the webhook cannot be reached: ${messageOf(cause ?? thrown)}`, { cause: thrown });
  }
}

/** `t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY`, so that an old request cannot be sent again as a new one. */
export function signatureOf(body: string, secret: Secret, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  const hex = createHmac('sha256', secret.reveal()).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hex}`;
}
