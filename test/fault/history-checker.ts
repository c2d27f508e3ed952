import type { HistoryRecord } from './history-record.ts';
import { acknowledgedIsDurable } from './invariants/acknowledged-is-durable.ts';
import { effectOnce } from './invariants/effect-once.ts';
import { epochsNeverFall } from './invariants/epochs-never-fall.ts';
import { issueOrder } from './invariants/issue-order.ts';
import { noStartAfterStop } from './invariants/no-start-after-stop.ts';
import { nothingAfterNotAfter } from './invariants/nothing-after-not-after.ts';
import { oneHonestEnd } from './invariants/one-honest-end.ts';
import { poisonContained } from './invariants/poison-contained.ts';
import { requestOnce } from './invariants/request-once.ts';
import { rightAddressee } from './invariants/right-addressee.ts';
import { terminalIsFinal } from './invariants/terminal-is-final.ts';
import { watchIsExact } from './invariants/watch-is-exact.ts';
import { arrange } from './recorded-history.ts';
import type { Invariant, Violation } from './violation.ts';

const INVARIANTS: readonly Invariant[] = [
  oneHonestEnd,
  terminalIsFinal,
  effectOnce,
  issueOrder,
  nothingAfterNotAfter,
  rightAddressee,
  requestOnce,
  epochsNeverFall,
  noStartAfterStop,
  acknowledgedIsDurable,
  poisonContained,
  watchIsExact,
];

/** Every breach in a recorded history of a run that has come to rest: all commands terminal, agents and watchers caught up. */
export function checkHistory(records: readonly HistoryRecord[]): Violation[] {
  const history = arrange(records);
  return INVARIANTS.flatMap((invariant) => [...invariant(history)]);
}

/** Breaches as text for people, at most `violationsMax` of them with their evidence. */
export function describeViolations(violations: readonly Violation[], violationsMax = 20): string {
  const shown = violations.slice(0, violationsMax).map(({ invariant, message, evidence }) => {
    const lines = evidence.map((record) => `    ${JSON.stringify(record)}`);
    return [`${invariant}: ${message}`, ...lines].join('\n');
  });
  const rest = violations.length - shown.length;
  return [...shown, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n');
}
