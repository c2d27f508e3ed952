/**
 * What is recorded of a run, as JSON lines, one record a line. Times are milliseconds since the epoch; a client's are taken
 * from one monotonic clock, so that the order of its calls can be trusted to the fraction of a millisecond.
 */
export type HistoryRecord =
  | IssueCall
  | CancelCall
  | SettleCall
  | CallReturn
  | HistoryRow
  | WatchedRow
  | FinalCommand
  | AgentRun
  | AgentAct
  | AcknowledgedAnswer
  | PoisonedRow
  | QuarantinedRow
  | Fault;

/** A client asks for a command. A repetition of the call is a call of its own with the same request id. */
export interface IssueCall {
  readonly type: 'issue';
  /** Number of the call; text where several recorders have been put together. */
  readonly call: number | string;
  readonly atMs: number;
  readonly account: string;
  /** Id of the executor that the command is meant for. */
  readonly executor: string;
  readonly requestId: string;
  /** What was asked, as text that is the same for the same request. */
  readonly body: string;
  readonly kind: string;
}

export interface CancelCall {
  readonly type: 'cancel';
  /** Number of the call; text where several recorders have been put together. */
  readonly call: number | string;
  readonly atMs: number;
  readonly account: string;
  readonly commandId: string;
}

/** An operator says what became of a command. */
export interface SettleCall {
  readonly type: 'settle';
  /** Number of the call; text where several recorders have been put together. */
  readonly call: number | string;
  readonly atMs: number;
  readonly account: string;
  readonly commandId: string;
  /** The end that the operator's word makes of it. */
  readonly state: string;
}

/**
 * How a call ended. `issued`, `cancelled` and `settled` promise something; `refused` promises that nothing was stored; `uncertain` is a
 * call that may or may not have had its effect.
 */
export interface CallReturn {
  readonly type: 'return';
  /** Number of the call; text where several recorders have been put together. */
  readonly call: number | string;
  readonly atMs: number;
  readonly outcome: 'issued' | 'cancelled' | 'settled' | 'asked' | 'refused' | 'uncertain';
  readonly commandId?: string;
  readonly already?: boolean;
  /** Name of the status code or reason. */
  readonly reason?: string;
}

export interface RecordedStep {
  /** Empty before the first step, and where the row could not say. */
  readonly from: string;
  readonly to: string;
  readonly atMs: number;
  readonly cause: string;
  readonly reason?: string;
  readonly attempt: number;
  /** 0 without a stream. */
  readonly epoch: number;
}

/** One row of the platform's history; numbers of an account are in commit order. */
export interface HistoryRow {
  readonly type: 'history';
  readonly account: string;
  readonly number: number;
  readonly commandId: string;
  readonly executor: string;
  readonly steps: readonly RecordedStep[];
}

/** One event as a watcher got it, in the order in which it came. Each watcher began at the start of the history. */
export interface WatchedRow {
  readonly type: 'watched';
  readonly watcher: string;
  readonly account: string;
  readonly cursor: string;
  readonly commandId: string;
  readonly steps: readonly RecordedStep[];
}

/** A command as it is stored when the run is over. */
export interface FinalCommand {
  readonly type: 'command';
  readonly commandId: string;
  readonly account: string;
  readonly executor: string;
  readonly requestId?: string;
  readonly kind: string;
  readonly key: string;
  readonly sequence: number;
  readonly state: string;
  readonly finishByMs: number;
  readonly notAfterMs?: number;
}

/** An agent process began to run. */
export interface AgentRun {
  readonly type: 'agent';
  readonly atMs: number;
  readonly agent: string;
  readonly executor: string;
  readonly account: string;
  readonly pid: number;
}

/**
 * What an agent's adapter did: it was told to act (`start`), it acted (`effect`, on disk before anything else happens), it
 * returned (`result`), or it was asked after a restart what had become of a command (`recovered`).
 */
export interface AgentAct {
  readonly type: 'start' | 'effect' | 'result' | 'recovered';
  readonly atMs: number;
  readonly agent: string;
  readonly executor: string;
  readonly account: string;
  readonly commandId: string;
  readonly attempt: number;
  readonly kind: string;
  /** Of a result or a recovery. */
  readonly status?: string;
}

/** An answer that an agent's journal holds as acknowledged by the platform. */
export interface AcknowledgedAnswer {
  readonly type: 'acknowledged';
  readonly agent: string;
  readonly executor: string;
  readonly commandId: string;
  readonly attempt: number;
  readonly state: string;
  readonly retryable: boolean;
}

/** A row that the test has spoilt on purpose. */
export interface PoisonedRow {
  readonly type: 'poisoned';
  readonly commandId: string;
}

export interface QuarantinedRow {
  readonly type: 'quarantined';
  readonly commandId: string;
  readonly defect: string;
}

/** A fault that was made; while `platformAway`, nobody could have moved a command. */
export interface Fault {
  readonly type: 'fault';
  readonly name: string;
  readonly atMs: number;
  readonly untilMs: number;
  readonly platformAway: boolean;
}

export function toLines(records: readonly HistoryRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** @throws SyntaxError naming the line that is no record; a last line that was cut off by a kill is left out. */
export function fromLines(text: string): HistoryRecord[] {
  const lines = text.split('\n');
  const records: HistoryRecord[] = [];
  for (const [at, line] of lines.slice(0, -1).entries()) {
    const record = parse(line);
    if (record === undefined) {
      throw new SyntaxError(`line ${at + 1} of the recorded history is no record: ${line.slice(0, 200)}`);
    }
    records.push(record);
  }
  return records;
}

const RECORD_TYPES: ReadonlySet<unknown> = new Set<HistoryRecord['type']>([
  'issue',
  'cancel',
  'settle',
  'return',
  'history',
  'watched',
  'command',
  'agent',
  'start',
  'effect',
  'result',
  'recovered',
  'acknowledged',
  'poisoned',
  'quarantined',
  'fault',
]);

function parse(line: string): HistoryRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

/** Records are written by this very suite: their name is enough to know their shape. */
function isRecord(value: unknown): value is HistoryRecord {
  return typeof value === 'object' && value !== null && 'type' in value && RECORD_TYPES.has(value.type);
}

const TERMINAL = new Set(['SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN']);

export function isTerminalState(state: string): boolean {
  return TERMINAL.has(state);
}
