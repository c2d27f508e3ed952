import type { Condition, Thresholds } from './condition.ts';

/** What the rules need to know of a command that went wrong, or may have. */
export interface CommandFacts {
  readonly id: string;
  readonly executor: string;
  readonly kind: string;
  readonly state: string;
  readonly finishMs: number | null;
  /** When somebody looks after it next; null once it has ended. */
  readonly dueMs: number | null;
  /** Why it ended so; empty where nothing says. */
  readonly error: string;
}

/** The account's commands of the window, in numbers. */
export interface StatsFacts {
  /** Ended, CANCELLED left out. */
  readonly tried: number;
  readonly successRate: number;
  /** From accepted to finished; null when nothing was measured. */
  readonly p95Ms: number | null;
  readonly measured: number;
}

/** One condition an executor: a hundred failed commands are one alert. */
export function failedCommands(
  accountId: string,
  commands: readonly CommandFacts[],
  { windowMs }: Pick<Thresholds, 'windowMs'>,
  nowMs: number,
): Condition[] {
  const failed = commands.filter(({ finishMs }) => finishMs !== null && finishMs >= nowMs - windowMs);
  return [...Map.groupBy(failed, ({ executor }) => executor)].map(([executor, ofExecutor]) => {
    const newest = ofExecutor.reduce((a, b) => ((a.finishMs ?? 0) >= (b.finishMs ?? 0) ? a : b));
    const why = newest.error === '' ? '' : `: ${newest.error}`;
    return {
      accountId,
      rule: 'COMMAND_FAILED',
      subject: executor,
      sentence: `${counted(ofExecutor.length)} to executor ${executor} failed within ${minutes(windowMs)}; the last, ${newest.kind} ${newest.id}, ended ${newest.state}${why}`,
      next: `strategos command explain ${newest.id}`,
    };
  });
}

/** A condition for each executor with commands that nobody knows the outcome of, or that are past due. */
export function stuckCommands(
  accountId: string,
  commands: readonly CommandFacts[],
  { overdueMs }: Pick<Thresholds, 'overdueMs'>,
  nowMs: number,
): Condition[] {
  const stuck = commands.filter(
    ({ state, dueMs }) => state === 'OUTCOME_UNKNOWN' || (dueMs !== null && dueMs < nowMs - overdueMs),
  );
  return [...Map.groupBy(stuck, ({ executor }) => executor)].flatMap(([executor, ofExecutor]) => {
    const [first] = ofExecutor;
    if (first === undefined) return [];
    const unknown = ofExecutor.filter(({ state }) => state === 'OUTCOME_UNKNOWN').length;
    return [
      {
        accountId,
        rule: 'COMMAND_STUCK' as const,
        subject: executor,
        sentence: `of ${counted(ofExecutor.length)} to executor ${executor} nobody knows the end: ${unknown} with an unknown outcome, ${ofExecutor.length - unknown} past due; one of them is ${first.kind} ${first.id}`,
        next: `strategos command explain ${first.id}`,
      },
    ];
  });
}

/** Success rate and latency of an account, where enough was tried to say something. */
export function statsRules(
  accountId: string,
  stats: StatsFacts,
  { windowMs, successRateMin, p95MsMax, commandsMin }: Thresholds,
): Condition[] {
  const conditions: Condition[] = [];
  const common = { accountId, subject: 'all commands', next: 'strategos command stats' };
  if (stats.tried >= commandsMin && stats.successRate < successRateMin) {
    const sentence = `${percent(stats.successRate)} of ${stats.tried} commands within ${minutes(windowMs)} succeeded, less than ${percent(successRateMin)}`;
    conditions.push({ ...common, rule: 'SUCCESS_RATE', sentence });
  }
  if (stats.measured >= commandsMin && stats.p95Ms !== null && stats.p95Ms > p95MsMax) {
    const sentence = `p95 from accepted to finished is ${Math.round(stats.p95Ms)} ms over ${stats.measured} commands within ${minutes(windowMs)}, more than ${p95MsMax} ms`;
    conditions.push({ ...common, rule: 'LATENCY', sentence });
  }
  return conditions;
}

function counted(commands: number): string {
  return commands === 1 ? '1 command' : `${commands} commands`;
}

function minutes(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}

/** Rounded down: what is too little must not look like enough. */
function percent(share: number): string {
  return `${Math.floor(share * 10_000) / 100} %`;
}
