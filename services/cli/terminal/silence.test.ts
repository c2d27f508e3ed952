import { Code, ConnectError } from '@connectrpc/connect';
import { expect, onTestFinished, test, vi } from 'vitest';
import { whileHeard } from './silence.ts';

const SILENCE_MS = 40;

async function* thenSilent(signal: AbortSignal): AsyncGenerator<string> {
  yield 'first';
  await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new ConnectError('given up', Code.Canceled)));
  });
}

async function* quick(signal: AbortSignal): AsyncGenerator<number> {
  for (let count = 0; count < 3 && !signal.aborted; count += 1) yield count;
}

test('a stream that says nothing any more is unavailable', async () => {
  const heard: string[] = [];
  const listening = (async () => {
    for await (const word of whileHeard(thenSilent, new AbortController().signal, SILENCE_MS)) heard.push(word);
  })();
  await expect(listening).rejects.toMatchObject({ code: Code.Unavailable, rawMessage: 'nothing has come for 0.04 s' });
  expect(heard).toEqual(['first']);
});

test('a reader that is slow is not a stream that is silent', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const heard: number[] = [];
  for await (const count of whileHeard(quick, new AbortController().signal, SILENCE_MS)) {
    heard.push(count);
    vi.advanceTimersByTime(2 * SILENCE_MS);
  }
  expect(heard).toEqual([0, 1, 2]);
});

test('its own end, and the errors of the stream, are passed on', async () => {
  const ending = new AbortController();
  const stream = whileHeard(thenSilent, ending.signal, 60_000);
  expect((await stream.next()).value).toBe('first');
  const last = stream.next();
  ending.abort();
  await expect(last).rejects.toMatchObject({ code: Code.Canceled });
  expect((await whileHeard(thenSilent, ending.signal).next()).done).toBe(true);
});
