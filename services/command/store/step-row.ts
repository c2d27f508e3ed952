import { putText } from '../../platform/put-text.ts';
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

/** A step without what people wrote: states, a time, three numbers and what is between them. */
const STEP_BYTES_MAX = 128;
/** Of a character in JSON. */
const ESCAPED_BYTES_MAX = 6;

/** More room than `putSteps` needs. */
export function stepsBytesMax(steps: readonly Step[]): number {
  let bytes = STEP_BYTES_MAX;
  for (const { cause, reason, message } of steps) {
    const chars = cause.length + (reason?.length ?? 0) + (message?.length ?? 0);
    bytes += STEP_BYTES_MAX + ESCAPED_BYTES_MAX * chars;
  }
  return bytes;
}

/**
 * Puts steps as JSON, for an entry of history, where there is room for them; gives how many bytes that were. By hand and without
 * a text in between: 0.5 us for the steps of a change, where a text from pieces took 1 and `JSON.stringify` 3.
 */
export function putSteps(target: Buffer, start: number, steps: readonly Step[]): number {
  let at = start + putPlain(target, '{"s":[', start);
  for (const { from, to, atMs, cause, attempt, epoch, reason, message } of steps) {
    if (target[at - 1] === CLOSE) target[at++] = COMMA;
    at += putPlain(target, from === null ? '[null' : '["', at);
    if (from !== null) {
      at += putPlain(target, from, at);
      target[at++] = QUOTE;
    }
    at += putPlain(target, ',"', at);
    at += putPlain(target, to, at);
    at += putPlain(target, '",', at);
    at += putPlain(target, timeText(atMs), at);
    target[at++] = COMMA;
    at += putQuoted(target, cause, at);
    target[at++] = COMMA;
    at += putPlain(target, String(attempt), at);
    const isExplained = reason !== undefined || message !== undefined;
    if (epoch !== undefined || isExplained) {
      target[at++] = COMMA;
      at += putPlain(target, String(epoch ?? null), at);
    }
    if (isExplained) {
      target[at++] = COMMA;
      at += putQuoted(target, reason, at);
      target[at++] = COMMA;
      at += putQuoted(target, message, at);
    }
    target[at++] = CLOSE;
  }
  return at + putPlain(target, ']}', at) - start;
}

const COMMA = 0x2c;
const CLOSE = 0x5d;
const QUOTE = 0x22;

let lastMs = 0;
let lastMsText = '0';

/** Most steps of a batch are of the same millisecond. */
function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastMsText = String(ms);
  }
  return lastMsText;
}

/** Letters, digits and what needs no escape. */
function putPlain(target: Buffer, text: string, start: number): number {
  for (let i = 0; i < text.length; i++) target[start + i] = text.charCodeAt(i);
  return text.length;
}

function putQuoted(target: Buffer, text: string | undefined, start: number): number {
  if (text === undefined || !PLAIN.test(text)) return putText(target, JSON.stringify(text ?? null), start);
  target[start] = QUOTE;
  putPlain(target, text, start + 1);
  target[start + 1 + text.length] = QUOTE;
  return text.length + 2;
}

const PLAIN = /^[\w ,:-]*$/;

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
