import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type {
  Adapter,
  AdapterCommand,
  CommandCase,
  ExecutionContext,
  Outcome,
  Recovery,
  StatusInit,
} from '../../services/executor/index.ts';
import { fromLines, type HistoryRecord } from '../fault/history-record.ts';
import { readControl, type RecordingControl } from './recording-control.ts';

export interface RecordingOptions {
  /** Where every act is appended as a line; also the venue's memory after a restart. */
  readonly file: string;
  readonly controlFile: string;
  readonly agent: string;
  readonly executorId: string;
  readonly accountId: string;
}

const KINDS: readonly CommandCase[] = [
  'startStrategy',
  'stopStrategy',
  'pause',
  'resume',
  'stopAll',
  'getStatus',
  'startSession',
  'stopSession',
  'openPosition',
  'closePosition',
  'cancelOrders',
  'ping',
];
/** How often a held execution looks whether it may go on. */
const HOLD_POLL_MS = 10;

type Act = 'start' | 'effect' | 'result' | 'recovered';

/** A venue whose every act can be counted afterwards: one line a start, effect and result, the effect on disk at once. */
export class RecordingAdapter implements Adapter {
  readonly name = 'recording';
  readonly kinds = KINDS;
  readonly #options: RecordingOptions;
  readonly #file: number;
  readonly #effects = new Set<string>();

  constructor(options: RecordingOptions) {
    this.#options = options;
    for (const record of readRecords(options.file)) if (record.type === 'effect') this.#effects.add(record.commandId);
    this.#file = openSync(options.file, 'a');
    const { agent, executorId, accountId } = options;
    this.#write({ type: 'agent', atMs: Date.now(), agent, executor: executorId, account: accountId, pid: process.pid });
  }

  close(): void {
    closeSync(this.#file);
  }

  status(): StatusInit {
    const { runs } = readControl(this.#options.controlFile);
    if (runs === undefined) return {};
    const { sessionId, strategyId, symbol, quantity } = runs;
    const positions = quantity === undefined ? [] : [{ sessionId, strategyId, symbol, quantity, entryPrice: '100' }];
    return { sessions: [{ sessionId, instances: [{ strategyId, strategyRevision: 1n, symbol }] }], positions };
  }

  /** At once where nothing is to be waited for, so that thousands run as fast as the agent can. */
  execute(command: AdapterCommand, context: ExecutionContext): Promise<Outcome> | Outcome {
    const control = this.#control(command);
    this.#act('start', command);
    if (control.fail !== undefined) return this.#fail(command, control.fail);
    if (control.hold === undefined && (control.workMs ?? 0) === 0) return this.#succeed(command);
    return this.#executeSlowly(command, context, control);
  }

  recover(command: AdapterCommand): Recovery {
    const known = this.#effects.has(command.id);
    const unknown = this.#control(command).recover === 'unknown';
    this.#act('recovered', command, unknown ? 'unknown' : known ? 'succeeded' : 'not_executed');
    if (unknown) return 'unknown';
    return known ? { status: 'succeeded', result: { summary: 'found by its record' } } : 'not_executed';
  }

  async #executeSlowly(
    command: AdapterCommand,
    context: ExecutionContext,
    control: RecordingControl,
  ): Promise<Outcome> {
    try {
      await pause(control.workMs ?? 0, undefined, { signal: context.signal });
      await this.#whileHeld('before', command, context);
    } catch {
      // Told to stop before anything happened.
      this.#act('result', command, 'aborted');
      throw context.signal.reason;
    }
    this.#effect(command);
    await this.#whileHeld('after', command, context);
    this.#act('result', command, 'succeeded');
    return this.#answer(command);
  }

  async #whileHeld(hold: 'before' | 'after', command: AdapterCommand, context: ExecutionContext): Promise<void> {
    let reportedMs = 0;
    for (let control = this.#control(command); control.hold === hold; control = this.#control(command)) {
      if (hold === 'before' && control.deaf !== true) context.signal.throwIfAborted();
      if (control.progressMs !== undefined && Date.now() - reportedMs >= control.progressMs) {
        reportedMs = Date.now();
        context.progress('held by the test', 50);
      }
      await pause(HOLD_POLL_MS);
    }
  }

  #succeed(command: AdapterCommand): Outcome {
    this.#effect(command);
    this.#act('result', command, 'succeeded');
    return this.#answer(command);
  }

  #answer(command: AdapterCommand): Outcome {
    const { body } = command;
    const fills = this.#control(command).fills?.map((fill) => ({ ...fill })) ?? [];
    return {
      status: 'succeeded',
      result: {
        payload: body.case === 'ping' ? body.value.payload : '',
        summary: 'recorded',
        fills,
        ...(body.case === 'getStatus' ? { status: this.status() } : {}),
      },
    };
  }

  #fail(command: AdapterCommand, fail: NonNullable<RecordingControl['fail']>): Outcome {
    this.#act('result', command, fail);
    if (fail === 'target_unknown') {
      return { status: 'rejected', reason: 'TARGET_UNKNOWN', message: 'the test wants nothing known of it' };
    }
    if (fail === 'rejected') return { status: 'rejected', message: 'the test wants it refused' };
    return { status: 'failed', retryable: fail === 'retryable', message: 'the test wants it to fail' };
  }

  #effect(command: AdapterCommand): void {
    this.#act('effect', command);
    fsyncSync(this.#file);
    this.#effects.add(command.id);
  }

  #act(type: Act, { id, attempt, body }: AdapterCommand, status?: string): void {
    const { agent, executorId, accountId } = this.#options;
    this.#write({
      type,
      atMs: Date.now(),
      agent,
      executor: executorId,
      account: accountId,
      commandId: id,
      attempt,
      kind: body.case,
      ...(status === undefined ? {} : { status }),
    });
  }

  #write(record: HistoryRecord): void {
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
  }

  #control({ body }: AdapterCommand): RecordingControl {
    const control = readControl(this.#options.controlFile);
    if (control.kinds === undefined || control.kinds.includes(body.case)) return control;
    const { workMs, recover } = control;
    return { ...(workMs === undefined ? {} : { workMs }), ...(recover === undefined ? {} : { recover }) };
  }
}

/** What a recording executor has written so far. */
export function readRecords(file: string): readonly HistoryRecord[] {
  return existsSync(file) ? fromLines(readFileSync(file, 'utf8')) : [];
}
