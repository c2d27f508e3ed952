import type { Notice } from '../domain/alert.ts';

/** What a webhook is sent: every field present, times in ISO 8601. */
export function noticeBody(notice: Notice): string {
  return JSON.stringify({
    id: notice.id,
    kind: notice.kind.toLowerCase(),
    account_id: notice.accountId,
    rule: notice.rule.toLowerCase(),
    subject: notice.subject,
    occurrence: notice.occurrence,
    sentence: notice.sentence,
    next: notice.next,
    fire_time: new Date(notice.fireMs).toISOString(),
    create_time: new Date(notice.createMs).toISOString(),
  });
}

const LEAD = { FIRING: 'ALERT', REMINDER: 'STILL', RECOVERED: 'RECOVERED', TEST: 'TEST' } as const;

/** Subject and text of the e-mail about one or more notices. */
export function mailOf(notices: readonly Notice[]): { readonly subject: string; readonly text: string } {
  const [first] = notices;
  if (first === undefined) throw new Error('an e-mail needs at least one notice');
  const subject =
    notices.length === 1
      ? `[strategos] ${LEAD[first.kind]} ${titleOf(first)}`
      : `[strategos] ${notices.length} notices, the first: ${LEAD[first.kind]} ${titleOf(first)}`;
  return { subject: subject.replaceAll(/\s+/g, ' '), text: `${notices.map(paragraphOf).join('\n\n')}\n` };
}

function titleOf({ rule, subject }: Notice): string {
  return `${rule.toLowerCase().replaceAll('_', ' ')}: ${subject}`;
}

function paragraphOf(notice: Notice): string {
  const { kind, accountId, sentence, next, fireMs, createMs } = notice;
  const lines = [
    `${LEAD[kind]} ${titleOf(notice)}`,
    kind === 'RECOVERED' ? `it was: ${sentence}` : sentence,
    `account: ${accountId === '' ? 'the platform as a whole' : accountId}`,
    `since: ${new Date(fireMs).toISOString()}`,
    ...(kind === 'RECOVERED' ? [`recovered: ${new Date(createMs).toISOString()}`] : []),
    ...(kind === 'RECOVERED' || next === '' ? [] : [`next: ${next}`]),
  ];
  return lines.join('\n');
}
