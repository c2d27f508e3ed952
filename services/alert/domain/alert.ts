import type { Condition, Look, Rule } from './condition.ts';

export const CHANNELS = ['webhook', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];

/** One thing that is or was wrong. */
export interface Alert extends Condition {
  /** How often it has begun to fire. */
  readonly occurrence: number;
  readonly state: 'FIRING' | 'RECOVERED';
  readonly fireMs: number;
  /** When the rule last found it so. */
  readonly seenMs: number;
  /** When a notice about its firing was last written. */
  readonly noticeMs: number;
  /** Null while it fires. */
  readonly recoverMs: number | null;
}

export type NoticeKind = 'FIRING' | 'REMINDER' | 'RECOVERED';

/** What a look makes of an alert: how it is from now on, and what is to be told of that. */
export interface Verdict {
  readonly alert: Alert;
  readonly notice: NoticeKind | undefined;
}

export interface Pace {
  /** Something is right again when it was not found wrong for so long: what flickers is one alert. */
  readonly recoverAfterMs: number;
  readonly remindEveryMs: number;
}

/** Names an alert. */
export function alertKey({ accountId, rule, subject }: Pick<Condition, 'accountId' | 'rule' | 'subject'>): string {
  return JSON.stringify([accountId, rule, subject]);
}

/** Compares what is stored with what a look has found; `mayBegin` says of what is new whether it may fire yet. Alerts that do
 * not change are left out. */
export function judge(
  stored: readonly Alert[],
  look: Look,
  {
    pace,
    mayBegin,
    nowMs,
  }: { readonly pace: Pace; readonly mayBegin: (c: Condition) => boolean; readonly nowMs: number },
): Verdict[] {
  const before = new Map(stored.map((alert) => [alertKey(alert), alert]));
  const found = new Map(look.conditions.map((condition) => [alertKey(condition), condition]));
  const wrong = [...found]
    .filter(([key, condition]) => before.get(key)?.state === 'FIRING' || mayBegin(condition))
    .map(([key, condition]) => stillOrNewlyWrong(condition, before.get(key), pace, nowMs));
  const right = stored
    .filter((alert) => alert.state === 'FIRING' && !found.has(alertKey(alert)))
    .filter(({ accountId, rule }) => look.covers(accountId, rule))
    .filter(({ seenMs }) => nowMs - seenMs >= pace.recoverAfterMs)
    .map((alert): Verdict => {
      return { alert: { ...alert, state: 'RECOVERED', recoverMs: nowMs }, notice: 'RECOVERED' };
    });
  return [...wrong, ...right];
}

function stillOrNewlyWrong(condition: Condition, before: Alert | undefined, pace: Pace, nowMs: number): Verdict {
  if (before?.state !== 'FIRING') {
    const occurrence = (before?.occurrence ?? 0) + 1;
    const alert: Alert = {
      ...condition,
      occurrence,
      state: 'FIRING',
      fireMs: nowMs,
      seenMs: nowMs,
      noticeMs: nowMs,
      recoverMs: null,
    };
    return { alert, notice: 'FIRING' };
  }
  const isDue = nowMs - before.noticeMs >= pace.remindEveryMs;
  const alert = { ...before, ...condition, seenMs: nowMs, noticeMs: isDue ? nowMs : before.noticeMs };
  return { alert, notice: isDue ? 'REMINDER' : undefined };
}

/** A notice on its way over one channel. */
export interface Notice {
  /** The same over all tries. */
  readonly id: string;
  readonly channel: Channel;
  readonly kind: NoticeKind | 'TEST';
  readonly accountId: string;
  /** WATCH_FAILING: no rule, but that none can be looked at. */
  readonly rule: Rule | 'TEST' | 'WATCH_FAILING';
  readonly subject: string;
  readonly occurrence: number;
  readonly sentence: string;
  readonly next: string;
  readonly fireMs: number;
  readonly createMs: number;
  /** Tries so far. */
  readonly attempt: number;
}
