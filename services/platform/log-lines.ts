import { writeSync } from 'node:fs';

/**
 * A reader that is behind is waited for, in steps, and not for longer: the process stands still meanwhile. Each line
 * that goes through at once brings a little of that back: a slow one must not hold the process up for most of its time.
 */
const FULL_PIPE_STEP_MS = 10;
const BACK_MS = 1;
const FULL_PIPE_MS_MAX = 200;
const LINE_END = 0x0a;

/** Writes a part of `bytes` and returns how many they were, or throws a system error. */
export type WriteBytes = (bytes: Uint8Array) => number;

/**
 * Where the lines of a process's log go. What cannot be written, on a full disk or to a reader that does not read, is dropped
 * and counted, and the first line that gets through again is followed by how many are missing: no work fails or waits for
 * its log.
 */
export class LogLines {
  readonly #write: WriteBytes;
  readonly #sleepMs: (ms: number) => void;
  #lost = 0;
  #patienceMs = FULL_PIPE_MS_MAX;
  /** The last line that was begun has no end. */
  #torn = false;

  constructor(write: WriteBytes = (bytes) => writeSync(1, bytes), sleepMs: (ms: number) => void = standStill) {
    this.#write = write;
    this.#sleepMs = sleepMs;
  }

  /** Writes one line, with its end. Never throws. */
  write(line: string): void {
    if (!this.#whole(this.#torn ? `\n${line}` : line)) {
      this.#lost += 1;
      return;
    }
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    const time = new Date().toISOString();
    this.write(`${JSON.stringify({ level: 'warn', time, lost, msg: 'log lines could not be written' })}\n`);
  }

  /** False when something of it could not be written. */
  #whole(text: string): boolean {
    let rest: Uint8Array = Buffer.from(text);
    let waited = false;
    while (rest.length > 0) {
      try {
        const written = this.#write(rest);
        if (written > 0) this.#torn = rest[written - 1] !== LINE_END;
        rest = rest.subarray(written);
      } catch (thrown) {
        if (!isBusy(thrown) || this.#patienceMs <= 0) return false;
        waited = true;
        this.#patienceMs -= FULL_PIPE_STEP_MS;
        this.#sleepMs(FULL_PIPE_STEP_MS);
      }
    }
    if (!waited) this.#patienceMs = Math.min(FULL_PIPE_MS_MAX, this.#patienceMs + BACK_MS);
    return true;
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'EAGAIN' || thrown.code === 'EINTR');
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
