import type { CommandRecord } from './records.ts';

export type HaltScope = 'ACCOUNT' | 'EXECUTOR' | 'SESSION';

/** One use of the kill switch. */
export interface HaltRecord {
  readonly id: string;
  readonly accountId: string;
  readonly requestId: string | null;
  readonly fingerprint: string | null;
  readonly scope: HaltScope;
  /** As the caller named it; empty for the account. */
  readonly target: string;
  readonly closePositions: boolean;
  readonly author: string;
  readonly sessionIds: readonly string[];
  readonly createTimeMs: number;
  readonly completeTimeMs: number | null;
}

/** One executor's answer to it. */
export interface HaltTarget {
  readonly haltId: string;
  readonly executorId: string;
  readonly executorName: string;
  /** Of the newest command. */
  readonly requestId: string;
  readonly attempt: number;
  readonly flat: boolean;
  readonly acknowledgeTimeMs: number | null;
  /** When it was given up, because the executor cannot confirm any more; null while it may. */
  readonly abandonTimeMs: number | null;
  /** Why, and what is not known, in a sentence; empty while it may. */
  readonly abandonReason: string;
}

export interface HaltView {
  readonly halt: HaltRecord;
  readonly targets: readonly (HaltTarget & { readonly command: CommandRecord })[];
}

export interface ExecutorName {
  readonly id: string;
  readonly name: string;
}

/** What a kill switch is to reach. */
export interface HaltWish {
  readonly halt: Omit<HaltRecord, 'sessionIds' | 'completeTimeMs' | 'createTimeMs'>;
  readonly executors: readonly ExecutorName[];
  /** Alone, for the scope SESSION. */
  readonly sessionId: string | undefined;
}

/** Kill switches that were used. */
export interface HaltBook {
  /** Durable, with every session in scope STOPPING and a command wanted of every executor. False: the request id is known. */
  create(wish: HaltWish): Promise<boolean>;
  get(accountId: string, id: string | undefined): Promise<HaltView | undefined>;
  findRequest(accountId: string, requestId: string): Promise<HaltView | undefined>;
  /** Halts that are due, put off by `againMs` so that one replica looks at each. */
  claim(againMs: number, max: number): Promise<readonly HaltView[]>;
  /** Writes down how a halt's command stands. */
  observed(command: CommandRecord): Promise<void>;
  /** The command did not succeed: another one is wanted in its place. */
  again(target: HaltTarget, command: CommandRecord): Promise<void>;
  acknowledged(target: HaltTarget, timeMs: number): Promise<void>;
  /** The executor cannot confirm any more. False when it has confirmed, or was given up before. */
  abandoned(target: HaltTarget, reason: string): Promise<boolean>;
  complete(id: string): Promise<void>;
  /** Ids of the executors on which a session of the halt is not stopped yet. */
  closing(haltId: string): Promise<ReadonlySet<string>>;
  /** Sessions of the halt on that executor that are not stopped yet, and of those of `named`, which are ids, the executor's own. */
  sessions(haltId: string, executorId: string, named?: readonly string[]): Promise<readonly string[]>;
}

/** The command that one executor gets. */
export function haltCommand(
  { halt, sessionId }: Pick<HaltWish, 'halt' | 'sessionId'>,
  executorId: string,
  attempt: number,
  nowMs: number,
): CommandRecord {
  const { id, accountId, closePositions } = halt;
  return {
    accountId,
    requestId: `halt:${id}:${executorId}:${attempt}`,
    sessionId: sessionId ?? null,
    haltId: id,
    executorId,
    purpose: 'HALT',
    subjectId: id,
    wish:
      sessionId === undefined
        ? { type: 'STOP_ALL', closePositions }
        : { type: 'STOP_SESSION', closePositions, critical: true },
    state: 'WANTED',
    commandId: '',
    reason: '',
    message: '',
    cancelWanted: false,
    createTimeMs: nowMs,
    finishTimeMs: null,
  };
}
