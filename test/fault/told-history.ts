import type { AgentAct, CallReturn, Fault, HistoryRecord, IssueCall } from './history-record.ts';

interface Told {
  readonly executor: string;
  readonly key: string;
  readonly kind: string;
  readonly finishByMs: number;
  readonly notAfterMs?: number | undefined;
  sequence: number;
  state: string;
  attempt: number;
}

const ACCOUNT = 'main';
const EXECUTOR = 'e1';
const STEP_MS = 10;

/** Tells a history by hand, good or bad: each call lets a little time pass and writes what a recorder would have written. */
export class Story {
  nowMs = 1_700_000_000_000;
  readonly #records: HistoryRecord[] = [];
  readonly #commands = new Map<string, Told>();
  readonly #calls = new Map<string, number>();
  #number = 0;
  #call = 0;
  #epoch = 1;
  #agentTold = false;

  wait(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** The epoch of what is sent from now on. */
  epoch(epoch: number): this {
    this.#epoch = epoch;
    return this;
  }

  /** A command that is called for, stored and answered. */
  issue(id: string, facts: Partial<Told> = {}): this {
    return this.call(id, facts).store(id).answer(id);
  }

  call(id: string, facts: Partial<Told> & { readonly body?: string } = {}): this {
    this.wait(STEP_MS);
    const told: Told = this.#commands.get(id) ?? {
      executor: EXECUTOR,
      key: '/s',
      kind: 'close_position',
      finishByMs: this.nowMs + 3_600_000,
      sequence: 0,
      state: '',
      attempt: 0,
      ...facts,
    };
    this.#commands.set(id, told);
    const call = this.#call++;
    this.#calls.set(id, call);
    const { executor, kind } = told;
    const body = facts.body ?? `body of ${id}`;
    const called: IssueCall = {
      type: 'issue',
      call,
      atMs: this.nowMs,
      account: ACCOUNT,
      executor,
      requestId: id,
      body,
      kind,
    };
    this.#records.push(called);
    return this;
  }

  store(id: string): this {
    const told = this.#command(id);
    told.sequence = this.#number + 1;
    return this.jump(id, '', 'PENDING');
  }

  answer(id: string, facts: Partial<CallReturn> = {}): this {
    this.wait(STEP_MS);
    const call = this.#calls.get(id) ?? -1;
    const issued = { outcome: 'issued', commandId: id, already: false, ...facts } as const;
    this.#records.push({ type: 'return', call, atMs: this.nowMs, ...issued });
    return this;
  }

  /** A cancellation that was promised to be final. */
  cancelled(id: string): this {
    const call = this.#call++;
    this.#records.push({ type: 'cancel', call, atMs: this.nowMs, account: ACCOUNT, commandId: id });
    this.#records.push({ type: 'return', call, atMs: this.nowMs, outcome: 'cancelled', commandId: id });
    return this;
  }

  /** Steps from where the command stands, each in a row of its own. */
  step(id: string, ...states: readonly string[]): this {
    for (const state of states) this.jump(id, this.#command(id).state, state);
    return this;
  }

  settle(id: string, state: string): this {
    return this.jump(id, 'OUTCOME_UNKNOWN', state, 'settled');
  }

  /** An operator is told that the command is settled by their word. */
  said(id: string, state: string, outcome: 'settled' | 'refused' = 'settled'): this {
    const call = this.#call++;
    this.#records.push({ type: 'settle', call, atMs: this.nowMs, account: ACCOUNT, commandId: id, state });
    this.#records.push({ type: 'return', call, atMs: this.nowMs, outcome, commandId: id });
    return this;
  }

  /** The history says that an operator has settled the command, from wherever it stands. */
  settleByOperator(id: string, state: string): this {
    return this.jump(id, this.#command(id).state, state, 'settled by an operator');
  }

  retry(id: string): this {
    return this.jump(id, 'RUNNING', 'PENDING', 'failed, to be repeated');
  }

  jump(id: string, from: string, to: string, cause = to === 'SENT' ? 'sent' : 'told'): this {
    this.wait(STEP_MS);
    const told = this.#command(id);
    told.state = to;
    this.#number += 1;
    if (to === 'SENT') told.attempt += 1;
    const steps = [{ from, to, atMs: this.nowMs, cause, attempt: told.attempt, epoch: this.#epoch }];
    const row = { account: ACCOUNT, commandId: id, steps };
    this.#records.push({ type: 'history', number: this.#number, executor: told.executor, ...row });
    this.#records.push({ type: 'watched', watcher: 'w', cursor: String(this.#number), ...row });
    return this;
  }

  /** From PENDING to SUCCEEDED, with its one effect. */
  run(id: string, facts: Partial<AgentAct> = {}): this {
    this.step(id, 'SENT', 'RECEIVED', 'RUNNING');
    this.act(id, 'start', facts).act(id, 'effect', facts).act(id, 'result', facts);
    return this.step(id, 'SUCCEEDED').acknowledge(id, 'SUCCEEDED');
  }

  agent(): this {
    this.#agentTold = true;
    this.#records.push({ type: 'agent', atMs: this.nowMs, agent: 'a1', executor: EXECUTOR, account: ACCOUNT, pid: 1 });
    return this;
  }

  act(id: string, type: AgentAct['type'], facts: Partial<AgentAct> = {}): this {
    this.wait(STEP_MS);
    const { executor, kind, attempt } = this.#command(id);
    if (!this.#agentTold) this.agent();
    const act = { atMs: this.nowMs, agent: 'a1', executor, account: ACCOUNT, commandId: id, attempt, kind };
    this.#records.push({ ...act, ...facts, type });
    return this;
  }

  acknowledge(id: string, state: string, { retryable = false } = {}): this {
    const answer = { agent: 'a1', executor: EXECUTOR, commandId: id, attempt: 1, state, retryable };
    this.#records.push({ type: 'acknowledged', ...answer });
    return this;
  }

  poison(id: string): this {
    this.#records.push({ type: 'poisoned', commandId: id });
    return this;
  }

  quarantine(id: string, defect: string): this {
    this.#records.push({ type: 'quarantined', commandId: id, defect });
    return this;
  }

  fault(fault: Omit<Fault, 'type'>): this {
    this.#records.push({ type: 'fault', ...fault });
    return this;
  }

  /** The whole history, with every command as it stands now. */
  told(): HistoryRecord[] {
    const commands = [...this.#commands].map(([commandId, told]): HistoryRecord => {
      const { executor, key, kind, finishByMs, notAfterMs, sequence, state } = told;
      const stored = {
        commandId,
        account: ACCOUNT,
        executor,
        requestId: commandId,
        kind,
        key,
        sequence,
        state,
        finishByMs,
      };
      return { type: 'command', ...stored, ...(notAfterMs === undefined ? {} : { notAfterMs }) };
    });
    return [...this.#records, ...commands];
  }

  #command(id: string): Told {
    const told = this.#commands.get(id);
    if (told === undefined) throw new Error(`nobody called for ${id}`);
    return told;
  }
}
