import { describe, expect, test, vi } from 'vitest';
import { type Exiting, KeptRunning } from './keep-running.ts';

class Part implements Exiting {
  readonly ending = Promise.withResolvers<void>();
  stopped = false;

  get exited(): Promise<void> {
    return this.ending.promise;
  }

  stop(): Promise<void> {
    this.stopped = true;
    this.ending.resolve();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

describe('keeping a part running', () => {
  test('a part that ends by itself is started again, and both are told', async () => {
    const parts: Part[] = [];
    const lines: string[] = [];
    const start = (): Promise<Part> => {
      parts.push(new Part());
      return Promise.resolve(parts.at(-1) ?? new Part());
    };
    await using kept = await KeptRunning.start('gateway', start, (line) => lines.push(line));
    parts[0]?.ending.resolve();
    await vi.waitFor(() => expect(kept.part).toBe(parts[1]));
    expect(lines[0]).toMatch(/^gateway has ended unexpectedly; starting it again in \d+ ms$/);
    expect(lines[1]).toBe('gateway is running again');
  });

  test('a start that fails is told and tried again', async () => {
    const lines: string[] = [];
    const part = new Part();
    let starts = 0;
    const start = (): Promise<Part> => {
      starts++;
      if (starts === 2) return Promise.reject(new Error('port taken'));
      return Promise.resolve(starts === 1 ? part : new Part());
    };
    await using kept = await KeptRunning.start('gateway', start, (line) => lines.push(line));
    part.ending.resolve();
    await vi.waitFor(() => expect(kept.part).not.toBe(part), 5_000);
    expect(lines).toContain('gateway does not start again: port taken');
  });

  test('the first failure is thrown', async () => {
    const started = KeptRunning.start(
      'gateway',
      () => Promise.reject<Part>(new Error('port taken')),
      () => undefined,
    );
    await expect(started).rejects.toThrow('port taken');
  });

  test('stopping stops the part and starts nothing more', async () => {
    let starts = 0;
    const lines: string[] = [];
    const start = (): Promise<Part> => {
      starts++;
      return Promise.resolve(new Part());
    };
    const kept = await KeptRunning.start('gateway', start, (line) => lines.push(line));
    await kept.stop();
    expect(kept.part.stopped).toBe(true);
    expect(starts).toBe(1);
    expect(lines).toEqual([]);
  });
});
