import { uptime } from 'node:os';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { ClockReading } from './domain/start-deadline.ts';

/** The agent's clocks: deadlines rest on those that never step, the wall clock is for people and for restarts. */
export interface AgentClock extends Clock {
  reading(): ClockReading;
}

export const agentSystemClock: AgentClock = {
  nowMs: () => systemClock.nowMs(),
  after: (delayMs, callback) => systemClock.after(delayMs, callback),
  reading: () => ({ wallMs: Date.now(), uptimeMs: uptime() * 1_000, monotonicMs: performance.now() }),
};
