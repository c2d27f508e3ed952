/** What the machine's clocks show at one moment. */
export interface ClockReading {
  readonly wallMs: number;
  /** Since the machine booted, time asleep included; comparable across restarts of the agent. */
  readonly uptimeMs: number;
  /** Of this process; never steps. */
  readonly monotonicMs: number;
}

/** A reading that the journal kept: the monotonic clock of a process means nothing to the next one. */
export type JournaledReading = Omit<ClockReading, 'monotonicMs'>;

/** How long a command may still wait for its start, counted from `since`. */
export interface StartBudget {
  /** Infinity when the platform set no limit. */
  readonly remainingMs: number;
  readonly since: ClockReading;
}

/** Resolution of the machine's uptime, doubled: the uptime may lag that much behind the monotonic clock. */
const UPTIME_SLACK_MS = 2_000;
/** A wall clock that moved back by more than this, measured against the uptime, is not believed any more. */
const WALL_STEP_BACK_MS_MAX = 5_000;

/** Whether the command is too late to start. Time that the machine slept counts. */
export function isOverdue(budget: StartBudget, now: ClockReading): boolean {
  const awakeMs = now.monotonicMs - budget.since.monotonicMs;
  const withSleepMs = now.uptimeMs - budget.since.uptimeMs - UPTIME_SLACK_MS;
  return Math.max(awakeMs, withSleepMs) >= budget.remainingMs;
}

/** How much time passed while no process of the agent was watching. */
export interface UnwatchedTime {
  /** Never more than what really passed, as far as the clocks can be believed. */
  readonly atLeastMs: number;
  /** False when the wall clock moved back meanwhile: more may have passed than any clock can tell. */
  readonly sure: boolean;
}

/** Time between a journaled reading and now, across a restart of the agent and perhaps of the machine. */
export function unwatchedTime(then: JournaledReading, now: JournaledReading): UnwatchedTime {
  const wallMs = now.wallMs - then.wallMs;
  // Up for longer than then: at least the difference passed, rebooted or not. Up for less: rebooted, so at least all of it.
  const uptimeMs = now.uptimeMs >= then.uptimeMs ? now.uptimeMs - then.uptimeMs : now.uptimeMs;
  const bootMovedMs = now.wallMs - now.uptimeMs - (then.wallMs - then.uptimeMs);
  return {
    atLeastMs: Math.max(0, wallMs, uptimeMs),
    sure: wallMs >= 0 && bootMovedMs >= -WALL_STEP_BACK_MS_MAX,
  };
}

/**
 * What is left of `startWithinMs` after a restart. When the clocks cannot tell how much time passed, an entry has none left:
 * a stale entry must not start, and a late exit is better than none.
 */
export function budgetAfterRestart(
  startWithinMs: number,
  received: JournaledReading,
  now: ClockReading,
  isEntry: boolean,
): StartBudget {
  const passed = unwatchedTime(received, now);
  const remainingMs = isEntry && !passed.sure ? 0 : startWithinMs - passed.atLeastMs;
  return { remainingMs: Number.isFinite(startWithinMs) ? remainingMs : startWithinMs, since: now };
}
