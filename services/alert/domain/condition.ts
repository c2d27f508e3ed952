/** Rules, by the names that they have everywhere. */
export const RULES = [
  'COMMAND_FAILED',
  'COMMAND_STUCK',
  'SUCCESS_RATE',
  'LATENCY',
  'EXECUTOR_OFFLINE',
  'MARKET_BLIND',
  'DELIVERY_DEAD',
  'SERVICE_DOWN',
] as const;
export type Rule = (typeof RULES)[number];

/** Account of what concerns the platform as a whole. */
export const PLATFORM = '';

/** Something that a rule finds wrong at one look. */
export interface Condition {
  readonly accountId: string;
  readonly rule: Rule;
  /** What it is about: with account and rule it names one alert. */
  readonly subject: string;
  readonly sentence: string;
  /** The next command to type. */
  readonly next: string;
}

/** What one look at the platform found. */
export interface Look {
  readonly conditions: readonly Condition[];
  /** Whether a rule could be looked at for an account: what could not be is neither wrong nor right again. */
  readonly covers: (accountId: string, rule: Rule) => boolean;
}

/** From when on something is wrong. Times in milliseconds, the rate from 0 to 1. */
export interface Thresholds {
  /** Commands that were created or ended within it are looked at. */
  readonly windowMs: number;
  readonly successRateMin: number;
  readonly p95MsMax: number;
  /** Fewer commands in the window say nothing about rates and latencies. */
  readonly commandsMin: number;
  readonly offlineMs: number;
  /** So much later than it is due, nobody looks after a command. */
  readonly overdueMs: number;
}
