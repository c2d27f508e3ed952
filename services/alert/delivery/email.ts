import { createTransport } from 'nodemailer';
import type { Secret } from '../../platform/config.ts';
import type { NoticeChannel } from './channel.ts';
import { mailOf } from './notice-text.ts';

const CONNECT_MS_MAX = 10_000;
const SILENT_MS_MAX = 20_000;
/** A hundred executors that are lost at once are one e-mail. */
const NOTICES_PER_MAIL_MAX = 50;

export interface EmailOptions {
  /** smtp://user:password@host:587 or smtps://… */
  readonly smtpUrl: Secret;
  readonly from: string;
  readonly to: readonly string[];
}

/** Sends notices as plain text. A mail that is sent again has the same Message-ID. */
export function email({ smtpUrl, from, to }: EmailOptions): NoticeChannel {
  const transport = createTransport({
    url: smtpUrl.reveal(),
    connectionTimeout: CONNECT_MS_MAX,
    greetingTimeout: CONNECT_MS_MAX,
    socketTimeout: SILENT_MS_MAX,
  });
  return {
    name: 'email',
    noticesMax: NOTICES_PER_MAIL_MAX,
    async send(notices) {
      const [first] = notices;
      if (first === undefined) return;
      const { subject, text } = mailOf(notices);
      await transport.sendMail({ from, to: [...to], subject, text, messageId: `<${first.id}@strategos.invalid>` });
    },
  };
}
