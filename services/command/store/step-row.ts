import type { CommandState, Step } from '../domain/command.ts';

type StepRow = readonly [
  from: CommandState | null,
  to: CommandState,
  atMs: number,
  cause: string,
  attempt: number,
  epoch?: number | null,
  reason?: string | null,
  message?: string | null,
];

/**
 * The steps of one transaction as they are stored, without the names of their fields. In an object, because arrays in an array
 * of JSON are taken for a further dimension of that when a row is put back from JSON.
 */
export interface StoredSteps {
  /** Each cut behind the last that is there. */
  readonly s: readonly StepRow[];
}

/** Steps as JSON, for an entry of history. */
export function stepsText(steps: readonly Step[]): string {
  let text = '';
  for (const step of steps) text += text === '' ? rowText(step) : `,${rowText(step)}`;
  return `{"s":[${text}]}`;
}

/** By hand: states hold nothing to be escaped, and `JSON.stringify` took a microsecond for what this does in a fifth. */
function rowText({ from, to, atMs, cause, attempt, epoch, reason, message }: Step): string {
  const start = `[${from === null ? 'null' : `"${from}"`},"${to}",${atMs},${quoted(cause)},${attempt}`;
  if (reason !== undefined || message !== undefined) {
    return `${start},${epoch ?? null},${quoted(reason)},${quoted(message)}]`;
  }
  return epoch === undefined ? `${start}]` : `${start},${epoch}]`;
}

const PLAIN = /^[\w ,:-]*$/;

function quoted(text: string | undefined): string {
  if (text === undefined) return 'null';
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

export function parseSteps(text: string): Step[] {
  const stored: StoredSteps = JSON.parse(text);
  return readSteps(stored);
}

/** Steps as they were stored. They are ours: the account's writers put them there, and nobody changes them. */
export function readSteps({ s }: StoredSteps): Step[] {
  return s.map(([from, to, atMs, cause, attempt, epoch, reason, message]) => ({
    from,
    to,
    atMs,
    cause,
    attempt,
    ...(typeof epoch === 'number' ? { epoch } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  }));
}
