import type { Lane } from './command.ts';

/** Declared once per kind: lane, ordering, freshness, deadlines and what it supersedes. */
export interface KindPolicy {
  readonly lane: Lane;
  /** `none`: no ordering key. `executor`, `session`, `instance`: the widest key that the kind's fields may name. */
  readonly key: 'none' | 'executor' | 'session' | 'instance';
  /** Entries and starts die when stale. */
  readonly entry: boolean;
  /** Waits for nothing and lets what is undelivered before it be cancelled. */
  readonly overtakes: boolean;
  readonly deliverWithinMs: number;
  readonly startWithinMs: number;
  readonly progressWithinMs: number | null;
  readonly finishWithinMs: number;
  /** Undelivered kinds that this one makes pointless when their key equals its own or lies inside it. */
  readonly supersedes: readonly string[];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const ENTRY = { entry: true, overtakes: false, deliverWithinMs: 5 * MINUTE_MS, startWithinMs: 30 * SECOND_MS };
const EXIT = { entry: false, overtakes: false, deliverWithinMs: 24 * HOUR_MS, startWithinMs: 5 * MINUTE_MS };
const QUERY = { entry: false, overtakes: false, deliverWithinMs: MINUTE_MS, startWithinMs: 30 * SECOND_MS };
const NO_PROGRESS = { progressWithinMs: null, finishWithinMs: MINUTE_MS, supersedes: [] };
/** Kinds that may take long because the venue unwinds positions; they report progress. */
const UNWINDING = { progressWithinMs: MINUTE_MS, finishWithinMs: 10 * MINUTE_MS };

/** Receipt of a write: the agent only has to reach its disk. Doubles with each resend. */
export const RECEIVE_WITHIN_MS = 5 * SECOND_MS;
export const ATTEMPTS_MAX_DEFAULT = 3;
export const ATTEMPTS_MAX_LIMIT = 10;
export const SPAN_MS_MAX = 7 * 24 * HOUR_MS;

export const KIND_POLICIES = {
  start_strategy: { lane: 1, key: 'instance', ...ENTRY, ...NO_PROGRESS },
  stop_strategy: { lane: 2, key: 'instance', ...EXIT, ...UNWINDING, supersedes: ['start_strategy'] },
  pause: { lane: 2, key: 'session', ...EXIT, ...NO_PROGRESS },
  resume: { lane: 1, key: 'session', ...ENTRY, ...NO_PROGRESS },
  stop_all: {
    lane: 3,
    key: 'executor',
    ...EXIT,
    ...UNWINDING,
    overtakes: true,
    supersedes: ['start_strategy', 'start_session', 'open_position', 'resume'],
  },
  get_status: { lane: 1, key: 'none', ...QUERY, ...NO_PROGRESS },
  start_session: { lane: 1, key: 'session', ...ENTRY, ...NO_PROGRESS },
  stop_session: { lane: 2, key: 'session', ...EXIT, ...UNWINDING, supersedes: ['start_session', 'start_strategy'] },
  open_position: { lane: 1, key: 'instance', ...ENTRY, ...NO_PROGRESS },
  close_position: { lane: 2, key: 'instance', ...EXIT, ...NO_PROGRESS },
  cancel_orders: { lane: 2, key: 'instance', ...EXIT, ...NO_PROGRESS },
  ping: { lane: 1, key: 'none', ...QUERY, ...NO_PROGRESS },
} as const satisfies Record<string, KindPolicy>;

export type Kind = keyof typeof KIND_POLICIES;

export function isKind(name: string): name is Kind {
  return Object.hasOwn(KIND_POLICIES, name);
}

export function policyOf(kind: Kind): KindPolicy {
  return KIND_POLICIES[kind];
}
