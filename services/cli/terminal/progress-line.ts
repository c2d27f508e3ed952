import type { WriteStream } from 'node:tty';

/** Shorter work shows nothing. */
const SHOW_AFTER_MS = 1_000;

/** A percentage that is written over itself, for people at a terminal; nothing elsewhere. */
export class ProgressLine {
  readonly #stream: WriteStream | undefined;
  readonly #startMs = performance.now();
  #shown = '';

  constructor(stream: WriteStream | undefined) {
    this.#stream = stream?.isTTY === true ? stream : undefined;
  }

  show(percent: number): void {
    if (this.#stream === undefined || performance.now() - this.#startMs < SHOW_AFTER_MS) return;
    const text = `${percent.toFixed(0)} %`;
    if (text === this.#shown) return;
    this.#shown = text;
    this.#stream.write(`\r${text}`);
  }

  clear(): void {
    if (this.#shown !== '') this.#stream?.write(`\r${' '.repeat(this.#shown.length)}\r`);
  }
}
