import { uptime } from 'node:os';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { ClockReading } from './domain/start-deadline.ts';

/** The agent's clocks: deadlines rest on those that never step, the wall clock is for people and for restarts. */
export interface AgentClock extends Clock {
  reading(): ClockReading;
}

/** How long a sample of the machine's uptime is carried on by the monotonic clock: asking the system costs a file. */
const UPTIME_SAMPLE_MS = 1_000;

/** The clocks of this machine. */
export function createAgentClock(): AgentClock {
  let sample = { uptimeMs: 0, wallMs: 0, monotonicMs: Number.NEGATIVE_INFINITY };
  return {
    nowMs: () => systemClock.nowMs(),
    steadyMs: () => systemClock.steadyMs(),
    after: (delayMs, callback) => systemClock.after(delayMs, callback),
    reading() {
      const monotonicMs = performance.now();
      const wallMs = Date.now();
      const sinceMs = monotonicMs - sample.monotonicMs;
      // The wall clock runs on while the machine sleeps, the monotonic one does not: a gap between them asks for a new sample.
      if (sinceMs > UPTIME_SAMPLE_MS || Math.abs(wallMs - sample.wallMs - sinceMs) > UPTIME_SAMPLE_MS) {
        sample = { uptimeMs: uptime() * 1_000, wallMs, monotonicMs };
      }
      return { wallMs, uptimeMs: sample.uptimeMs + (monotonicMs - sample.monotonicMs), monotonicMs };
    },
  };
}

export const agentSystemClock: AgentClock = createAgentClock();
