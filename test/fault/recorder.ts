import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { create, type MessageInitShape, toJsonString } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Command } from '../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type IssueCommandRequest,
  IssueCommandRequestSchema,
  SettledOutcome,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { kindName } from '../../services/executor/adapters/command-kinds.ts';
import { messageOf } from '../../services/platform/errors.ts';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import type { CommandClient } from '../harness/clients.ts';
import type { RecordingAgent } from '../harness/recording-agent.ts';
import type { TestStack } from '../harness/stack.ts';
import { collect } from './collect.ts';
import { checkHistory, describeViolations } from './history-checker.ts';
import { type CallReturn, type HistoryRecord, toLines } from './history-record.ts';
import { RecordedWatch } from './recorded-watch.ts';

/** What is asked of an executor; the recorder adds the request id. */
export type Wish = Omit<MessageInitShape<typeof IssueCommandRequestSchema>, '$typeName' | 'requestId' | 'executor'>;

export interface IssueOptions {
  readonly requestId?: string;
  /** How long a call without an answer is repeated; 0 makes one call. Default 60 s. */
  readonly repeatForMs?: number;
  readonly client?: CommandClient;
}

/** As many as one call takes. */
const BATCH_COMMANDS = 500;
const BATCH_MS_MAX = 30_000;
export interface RecorderOptions {
  /** Default 1. */
  readonly watches?: number;
  /** Default: the founding account. */
  readonly account?: { readonly id: string; readonly token: string };
}

const FOUNDING_ACCOUNT = 'main';
const CALL_MS_MAX = 10_000;
const REPEAT_MS = 60_000;
/** How long a run may take to come to rest. */
const REST_MS = 60_000;
const REPEAT_PAUSE_MS = 100;
/** Codes that promise that nothing was stored. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.FailedPrecondition,
  Code.AlreadyExists,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.ResourceExhausted,
]);
/** Codes that say neither; anything else is a defect that `unexpected` keeps. */
const UNCERTAIN: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Aborted]);

/** Wall time from one monotonic clock, in fractions of a millisecond. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls the platform as clients of one account and writes down every call, answer and event, for the history checker. */
export class Recorder implements AsyncDisposable {
  readonly records: HistoryRecord[] = [];
  /** Failures that no client should ever see. */
  readonly unexpected: string[] = [];
  readonly file: string;
  /** What the run consisted of, by number; there once a verdict was asked for. */
  summary = '';
  readonly #stack: TestStack;
  readonly #client: CommandClient;
  readonly #account: string;
  readonly #agents = new Map<string, RecordingAgent>();
  readonly #watches: RecordedWatch[] = [];
  /** Keeps the request ids of recorders of one stack apart. */
  readonly #name = randomBytes(4).toString('hex');
  #call = 0;
  #request = 0;

  private constructor(stack: TestStack, client: CommandClient, account: string) {
    this.#stack = stack;
    this.#client = client;
    this.#account = account;
    this.file = join(stack.data.root, 'logs', 'history.jsonl');
  }

  /** Begins to record as one account, with `watches` watchers of it from the start of its history. */
  static async start(stack: TestStack, options: RecorderOptions = {}): Promise<Recorder> {
    const { id, token } = options.account ?? { id: FOUNDING_ACCOUNT, token: undefined };
    const client = await stack.commandClient(token);
    const recorder = new Recorder(stack, client, id);
    for (let n = 0; n < (options.watches ?? 1); n++) {
      recorder.#watches.push(new RecordedWatch(`${id}-${n}`, id, client, (record) => recorder.add(record)));
    }
    return recorder;
  }

  /** Its acts belong to the history. */
  follow(agent: RecordingAgent): RecordingAgent {
    this.#agents.set(agent.agent, agent);
    return agent;
  }

  add(record: HistoryRecord): void {
    this.records.push(record);
  }

  /** As `tryIssue`. @throws when it was refused, or nobody answered in time */
  async issue(agent: RecordingAgent, wish: Wish, options: IssueOptions = {}): Promise<Command> {
    const command = await this.tryIssue(agent, wish, options);
    if (command !== undefined) return command;
    const reason = this.records.findLast((record) => record.type === 'return')?.reason;
    throw new Error(`${wish.kind?.case ?? 'a command'} was not accepted: ${reason ?? 'no reason given'}`);
  }

  /**
   * Issues one command, repeating the call under the same request id while nobody can say what became of it.
   * @returns the command, or undefined when it was refused or nobody answered in time
   */
  async tryIssue(agent: RecordingAgent, wish: Wish, options: IssueOptions = {}): Promise<Command | undefined> {
    const requestId = options.requestId ?? this.#nextRequestId();
    const request = create(IssueCommandRequestSchema, { ...wish, executor: agent.executorId, requestId });
    return this.#untilAnswered(
      options,
      () => this.#called(agent, request),
      async (client, call) => {
        const { command, alreadyIssued } = await client.issueCommand(request, { timeoutMs: CALL_MS_MAX });
        this.#returned(call, { outcome: 'issued', commandId: command?.id ?? '', already: alreadyIssued });
        return command;
      },
    );
  }

  /** Asks for a command of the agent to be issued anew, as `tryIssue` does for a first time. */
  async retry(agent: RecordingAgent, id: string, options: IssueOptions = {}): Promise<Command | undefined> {
    const requestId = options.requestId ?? this.#nextRequestId();
    const place = { account: this.#account, executor: agent.executorId };
    const record = (): number => {
      const call = this.#call++;
      this.add({ type: 'issue', call, atMs: nowMs(), ...place, requestId, body: `retry of ${id}`, kind: '' });
      return call;
    };
    return this.#untilAnswered(options, record, async (client, call) => {
      const { command } = await client.retryCommand({ id, requestId }, { timeoutMs: CALL_MS_MAX });
      this.#returned(call, { outcome: 'issued', commandId: command?.id ?? '' });
      return command;
    });
  }

  /** Makes a call again and again while nobody can say what became of it. */
  async #untilAnswered(
    options: IssueOptions,
    record: () => number,
    make: (client: CommandClient, call: number) => Promise<Command | undefined>,
  ): Promise<Command | undefined> {
    const endMs = nowMs() + (options.repeatForMs ?? REPEAT_MS);
    for (;;) {
      const call = record();
      try {
        return await make(options.client ?? this.#client, call);
      } catch (thrown) {
        if (!this.#failed(call, thrown) || nowMs() >= endMs) return undefined;
        await pause(REPEAT_PAUSE_MS);
      }
    }
  }

  /** Issues many in one call a few hundred; each must be accepted at once. @returns them in order */
  async issueMany(agent: RecordingAgent, wishes: readonly Wish[]): Promise<Command[]> {
    const issued: Command[] = [];
    for (let at = 0; at < wishes.length; at += BATCH_COMMANDS) {
      const requests = wishes.slice(at, at + BATCH_COMMANDS).map((wish) => {
        const requestId = this.#nextRequestId();
        return create(IssueCommandRequestSchema, { ...wish, executor: agent.executorId, requestId });
      });
      const calls = requests.map((request) => this.#called(agent, request));
      const { outcomes } = await this.#client.issueCommands({ requests }, { timeoutMs: BATCH_MS_MAX });
      for (const [index, { outcome }] of outcomes.entries()) {
        const call = calls[index] ?? -1;
        if (outcome.case !== 'issued' || outcome.value.command === undefined) {
          throw new Error(`request ${at + index} was refused: ${JSON.stringify(outcome.value)}`);
        }
        const { command, alreadyIssued } = outcome.value;
        this.#returned(call, { outcome: 'issued', commandId: command.id, already: alreadyIssued });
        const before = issued.at(-1);
        if (before !== undefined && command.sequence <= before.sequence) {
          this.unexpected.push(`${command.id} was listed behind ${before.id} and has the lower sequence`);
        }
        issued.push(command);
      }
    }
    return issued;
  }

  /** Asks once for a cancellation. @returns true when it is cancelled for good */
  async cancel(commandId: string): Promise<boolean> {
    const call = this.#call++;
    this.add({ type: 'cancel', call, atMs: nowMs(), account: this.#account, commandId });
    try {
      const { cancelled } = await this.#client.cancelCommand({ id: commandId }, { timeoutMs: CALL_MS_MAX });
      this.#returned(call, { outcome: cancelled ? 'cancelled' : 'asked', commandId });
      return cancelled;
    } catch (thrown) {
      this.#failed(call, thrown);
      return false;
    }
  }

  /** Settles a command by an operator's word, asking once. @throws what the call failed with */
  async settle(commandId: string, outcome: SettledOutcome, note: string): Promise<Command> {
    const call = this.#call++;
    const state = outcome === SettledOutcome.HAPPENED ? 'SUCCEEDED' : 'FAILED';
    this.add({ type: 'settle', call, atMs: nowMs(), account: this.#account, commandId, state });
    try {
      const { command } = await this.#client.settleCommand(
        { id: commandId, outcome, note },
        { timeoutMs: CALL_MS_MAX },
      );
      if (command === undefined) throw new Error(`command ${commandId} was settled without an answer`);
      this.#returned(call, { outcome: 'settled', commandId });
      return command;
    } catch (thrown) {
      this.#failed(call, thrown);
      throw thrown;
    }
  }

  /** Makes a fault and writes down how long it lasted. */
  async fault<T>(name: string, platformAway: boolean, work: () => Promise<T>): Promise<T> {
    const atMs = nowMs();
    try {
      return await work();
    } finally {
      this.add({ type: 'fault', name, atMs, untilMs: nowMs(), platformAway });
    }
  }

  /**
   * Waits until everything has come to rest, adds what Postgres and the agents' journals hold, and judges it all, together
   * with what recorders of other accounts have written.
   * @returns the breaches as text for people; empty when there are none
   */
  async verdict(beside: readonly Recorder[] = []): Promise<string> {
    const recorders = [this, ...beside];
    const agents = recorders.flatMap((recorder) => [...recorder.#agents.values()]);
    const watches = recorders.flatMap((recorder) => recorder.#watches);
    const found = await collect(this.#stack, agents, watches, REST_MS);
    const all = [...recorders.flatMap((recorder) => recorder.#renumbered()), ...found];
    appendFileSync(this.file, toLines(all));
    this.summary = summarise(all);
    const violations = describeViolations(checkHistory(all));
    const unexpected = recorders.flatMap((recorder) => recorder.unexpected).map((line) => `unexpected: ${line}`);
    return [...(violations === '' ? [] : [violations]), ...unexpected].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.stop()));
  }

  #nextRequestId(): string {
    return `${this.#name}-${this.#request++}`;
  }

  #called(agent: RecordingAgent, request: IssueCommandRequest): number {
    const call = this.#call++;
    const { requestId } = request;
    const body = toJsonString(IssueCommandRequestSchema, { ...request, requestId: '' });
    const kind = kindName(request.kind.case);
    const place = { account: this.#account, executor: agent.executorId };
    this.add({ type: 'issue', call, atMs: nowMs(), ...place, requestId, body, kind });
    return call;
  }

  /** Calls of several recorders must not share a number. */
  #renumbered(): HistoryRecord[] {
    return this.records.map((record) =>
      'call' in record ? { ...record, call: `${this.#name}-${record.call}` } : record,
    );
  }

  #returned(call: number, facts: Omit<CallReturn, 'type' | 'call' | 'atMs'>): void {
    this.add({ type: 'return', call, atMs: nowMs(), ...facts });
  }

  /** Writes down how a call failed; true when nobody can say what became of it. */
  #failed(call: number, thrown: unknown): boolean {
    const error = ConnectError.from(thrown);
    const refused = REFUSALS.has(error.code);
    const reason = reasonOf(error) ?? Code[error.code];
    this.#returned(call, { outcome: refused ? 'refused' : 'uncertain', reason });
    if (!refused && !UNCERTAIN.has(error.code)) this.unexpected.push(messageOf(thrown));
    return !refused;
  }
}

/** Counts of calls, answers, ends and acts, so that a run that did nothing is not taken for one that went well. */
function summarise(records: readonly HistoryRecord[]): string {
  const names = records.map((record) => {
    if (record.type === 'return') return `${record.outcome}${record.reason === undefined ? '' : ` ${record.reason}`}`;
    return record.type === 'command' ? record.state : record.type;
  });
  const counts = Object.entries(Object.groupBy(names, (name) => name)).map(
    ([name, all]) => `${name} ${all?.length ?? 0}`,
  );
  return counts.toSorted().join(', ');
}
