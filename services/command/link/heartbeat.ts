export const HEARTBEAT_INTERVAL_MS = 8_000;
/** Silence after which a stream is dead: two heartbeats and a little more. */
export const READ_TIMEOUT_MS = 20_000;
/** A stream that is never quiet is asked all the same, for its round trip: at first, and after so many times. */
const LEFT_OUT_MAX = 3;

/**
 * When one stream is asked whether its agent is there. One on which both sides have spoken since it was looked at last is not: with
 * a thousand streams in use at 500 commands a second, such heartbeats were 2 % of a machine of two processors. So each side hears the
 * other within two intervals. Times in milliseconds of a clock that nobody sets.
 */
export class Heartbeat {
  roundTripMs: number | null = null;
  #lastHeardMs: number;
  #lastLookMs: number;
  #heard = false;
  #said = false;
  #leftOut = 0;
  #number = 0n;
  #askedMs = 0;

  constructor(nowMs: number, executorId: string) {
    this.#lastHeardMs = nowMs;
    this.#lastLookMs = nowMs - phaseMs(executorId);
  }

  /** Anything that comes proves the link. */
  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
    this.#heard = true;
  }

  /** The agent answers; what it answers with proves the link, but not that it would have spoken by itself. */
  answered(number: bigint, nowMs: number): void {
    this.#lastHeardMs = nowMs;
    if (number === this.#number) this.roundTripMs = nowMs - this.#askedMs;
  }

  said(): void {
    this.#said = true;
  }

  silenceMs(nowMs: number): number {
    return nowMs - this.#lastHeardMs;
  }

  /** The number to ask with, undefined when it is not time to ask. */
  due(nowMs: number): bigint | undefined {
    if (nowMs - this.#lastLookMs < HEARTBEAT_INTERVAL_MS) return undefined;
    this.#lastLookMs = nowMs;
    const isInUse = this.#heard && this.#said && this.roundTripMs !== null;
    this.#heard = false;
    this.#said = false;
    if (isInUse && this.#leftOut < LEFT_OUT_MAX) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#leftOut = 0;
    this.#askedMs = nowMs;
    return ++this.#number;
  }
}

/** Streams that were opened together beat apart: a thousand beats in one turn held up every command by tens of milliseconds. */
function phaseMs(executorId: string): number {
  return Number.parseInt(executorId.slice(-6), 16) % HEARTBEAT_INTERVAL_MS;
}
