import type { ClockReading } from '../domain/start-deadline.ts';

/** The platform read something at `platformMs` of its clock that this side had sent at `sent`. */
interface Exchange {
  readonly sent: ClockReading;
  readonly platformMs: number;
}

/** Old exchanges are forgotten, so that a clock of the platform that was set is believed again soon. */
const EXCHANGES_MAX = 8;
/** The machine's uptime is coarse: it may lag so much behind the other clocks. */
const UPTIME_SLACK_MS = 2_000;

/**
 * Says how long ago something happened at the platform, at the most, without believing that both machines' clocks agree.
 * What the platform read at its time P had been sent here at L, so P was not before L; what happened there at P + x was
 * therefore not before L + x. The more often both have spoken, the closer the bound.
 */
export class TransitClock {
  #exchanges: Exchange[] = [];

  /** To be told of everything that the platform answers with the time at which it read it. */
  exchanged(sent: ClockReading, platformMs: number): void {
    this.#exchanges = [...this.#exchanges, { sent, platformMs }].slice(-EXCHANGES_MAX);
  }

  /** Longest time, in milliseconds, that can have passed since the platform's clock showed `platformMs`; 0 before any exchange. */
  sinceMs(platformMs: number, now: ClockReading): number {
    const bounds = this.#exchanges.map((exchange) => {
      const laterMs = platformMs - exchange.platformMs;
      const awakeMs = now.monotonicMs - exchange.sent.monotonicMs;
      const withSleepMs = now.uptimeMs - exchange.sent.uptimeMs - UPTIME_SLACK_MS;
      return Math.max(awakeMs, withSleepMs) - laterMs;
    });
    return bounds.length === 0 ? 0 : Math.max(0, Math.min(...bounds));
  }
}
