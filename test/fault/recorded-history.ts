import type {
  AcknowledgedAnswer,
  AgentAct,
  AgentRun,
  CallReturn,
  FinalCommand,
  Fault,
  HistoryRecord,
  HistoryRow,
  IssueCall,
  SettleCall,
  WatchedRow,
} from './history-record.ts';

/** A call to issue a command, with how it ended; `returned` is undefined for one that was still under way at the end. */
export interface IssueAttempt {
  readonly called: IssueCall;
  readonly returned: CallReturn | undefined;
}

/** An operator's word for the end of a command, with how the call ended; `returned` is undefined for one still under way. */
export interface SettleAttempt {
  readonly called: SettleCall;
  readonly returned: CallReturn | undefined;
}

/** A recorded history, arranged for the questions that the invariants ask. */
export interface RecordedHistory {
  readonly attempts: readonly IssueAttempt[];
  /** Calls of one (account, request id) in the order in which they were made. */
  readonly attemptsByRequest: ReadonlyMap<string, readonly IssueAttempt[]>;
  /** Answers that promised that a command is cancelled for good. */
  readonly cancelled: readonly CallReturn[];
  readonly settlesByCommand: ReadonlyMap<string, readonly SettleAttempt[]>;
  /** Calls that returned with this command. */
  readonly attemptsByCommand: ReadonlyMap<string, readonly IssueAttempt[]>;
  readonly commands: ReadonlyMap<string, FinalCommand>;
  /** In commit order. */
  readonly rows: readonly HistoryRow[];
  readonly rowsByCommand: ReadonlyMap<string, readonly HistoryRow[]>;
  readonly watchedBy: ReadonlyMap<string, readonly WatchedRow[]>;
  /** What adapters did with a command, in time order. */
  readonly acts: ReadonlyMap<string, readonly AgentAct[]>;
  readonly agentRuns: readonly AgentRun[];
  readonly acknowledged: readonly AcknowledgedAnswer[];
  readonly poisoned: ReadonlySet<string>;
  readonly defects: ReadonlyMap<string, string>;
  readonly faults: readonly Fault[];
}

/** One text for an account and a request id. */
export function requestKey(account: string, requestId: string): string {
  return JSON.stringify([account, requestId]);
}

export function arrange(records: readonly HistoryRecord[]): RecordedHistory {
  const of = <T extends HistoryRecord['type']>(...types: readonly T[]) =>
    records.filter((record): record is Extract<HistoryRecord, { type: T }> =>
      (types as readonly string[]).includes(record.type),
    );
  const returns = new Map(of('return').map((record) => [record.call, record]));
  const attempts = of('issue')
    .map((called) => ({ called, returned: returns.get(called.call) }))
    .toSorted((a, b) => a.called.atMs - b.called.atMs);
  const rows = of('history').toSorted((a, b) => a.number - b.number);
  const acts = of('start', 'effect', 'result', 'recovered').toSorted((a, b) => a.atMs - b.atMs);
  return {
    attempts,
    cancelled: of('return').filter((returned) => returned.outcome === 'cancelled'),
    settlesByCommand: Map.groupBy(
      of('settle').map((called) => ({ called, returned: returns.get(called.call) })),
      ({ called }) => called.commandId,
    ),
    attemptsByRequest: Map.groupBy(attempts, ({ called }) => requestKey(called.account, called.requestId)),
    attemptsByCommand: Map.groupBy(
      attempts.filter(({ returned }) => returned?.outcome === 'issued'),
      ({ returned }) => returned?.commandId ?? '',
    ),
    commands: new Map(of('command').map((record) => [record.commandId, record])),
    rows,
    rowsByCommand: Map.groupBy(rows, (row) => row.commandId),
    watchedBy: Map.groupBy(of('watched'), (row) => row.watcher),
    acts: Map.groupBy(acts, (act) => act.commandId),
    agentRuns: of('agent'),
    acknowledged: of('acknowledged'),
    poisoned: new Set(of('poisoned').map((record) => record.commandId)),
    defects: new Map(of('quarantined').map((record) => [record.commandId, record.defect])),
    faults: of('fault'),
  };
}

/** The acts of one type, such as all effects of a command. */
export function actsOf(history: RecordedHistory, commandId: string, type: AgentAct['type']): readonly AgentAct[] {
  return (history.acts.get(commandId) ?? []).filter((act) => act.type === type);
}
