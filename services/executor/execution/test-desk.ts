import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandDeliverySchema,
  type ExecutorEvent,
  type Finished,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import type { Adapter, Outcome, Recovery } from '../adapters/adapter.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { Journal } from '../journal/journal.ts';
import { openJournal } from '../journal/sqlite-journal.ts';
import { silentLogger } from '../test-platform.ts';
import { CommandDesk } from './command-desk.ts';
import { Outbox } from './outbox.ts';

/** What one test stands on. */
class Scene {
  readonly directory = mkdtempSync(join(tmpdir(), 'strategos-desk-'));
  readonly manual = new ManualClock();
  /** What the wall clock shows beside the clocks that never step. */
  wallStepMs = 0;
  #journal: Journal | undefined;

  /** The journal that the latest desk writes to. */
  get journal(): Journal {
    if (this.#journal === undefined) throw new Error('no desk has been opened');
    return this.#journal;
  }

  openJournal(): Journal {
    this.#journal = openJournal(this.directory);
    return this.#journal;
  }

  async end(): Promise<void> {
    await this.#journal?.close();
    rmSync(this.directory, { recursive: true });
  }
}

/** Made anew for each test by `useDesk`. */
export let scene: Scene;

/** Gives every test of a file a folder, a journal and clocks of its own. */
export function useDesk(): void {
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.end());
}

/** An adapter whose executions end when the test says so. */
export class HeldAdapter implements Adapter {
  readonly name = 'held';
  readonly kinds = ['stopSession', 'startSession', 'openPosition', 'stopAll', 'ping'] as const;
  readonly executed: string[] = [];
  readonly outcomes: PromiseWithResolvers<Outcome>[] = [];
  recovery: () => Recovery = () => 'unknown';

  execute({ id }: { readonly id: string }): Promise<Outcome> {
    this.executed.push(id);
    const held = Promise.withResolvers<Outcome>();
    this.outcomes.push(held);
    return held.promise;
  }

  recover(): Recovery {
    return this.recovery();
  }

  status() {
    return {};
  }
}

export interface Bench {
  readonly desk: CommandDesk;
  readonly adapter: HeldAdapter;
  /** Everything that was told since the link was opened. */
  events(): ExecutorEvent[];
  finished(commandId: string): Finished[];
}

function fail(thrown: unknown): void {
  throw thrown;
}

/** A desk with an open link, on the journal of the test's folder. */
export function openDesk(adapter = new HeldAdapter()): Bench {
  const journal = scene.openJournal();
  const clock: AgentClock = {
    nowMs: () => scene.manual.nowMs() + scene.wallStepMs,
    steadyMs: () => scene.manual.steadyMs(),
    after: scene.manual.after.bind(scene.manual),
    reading: () => ({
      wallMs: scene.manual.nowMs() + scene.wallStepMs,
      uptimeMs: scene.manual.nowMs(),
      monotonicMs: scene.manual.nowMs(),
    }),
  };
  const outbox = new Outbox(clock, 256);
  const fixed = { limits: {}, concurrencyMax: 8, logger: silentLogger, onFatal: fail };
  const desk = new CommandDesk({ ...fixed, adapter, journal, clock, outbox });
  desk.restore();
  const reader = outbox.open(() => undefined);
  const told: ExecutorEvent[] = [];
  const events = (): ExecutorEvent[] => {
    told.push(...reader.take());
    return told;
  };
  const finished = (commandId: string): Finished[] =>
    events()
      .filter((event) => event.commandId === commandId)
      .flatMap(({ event }) => (event.case === 'finished' ? [event.value] : []));
  return { desk, adapter, events, finished };
}

/** As after a kill: nothing is told any more, and another desk takes the journal up some time later. */
export async function restart(bench: Bench, adapter = new HeldAdapter(), absentMs = 0): Promise<Bench> {
  bench.desk.close();
  await scene.journal.close();
  scene.manual.advance(absentMs);
  return openDesk(adapter);
}

export function delivery(commandId: string, over: MessageInitShape<typeof CommandDeliverySchema> = {}) {
  return create(CommandDeliverySchema, {
    commandId,
    attempt: 1,
    sequence: 1n,
    orderingKey: '/s',
    kind: { case: 'stopSession', value: { sessionId: 's' } },
    startWithin: durationFromMs(60_000),
    finishWithin: durationFromMs(30_000),
    ...over,
  });
}

export async function untilRunning({ adapter }: Bench, count = 1): Promise<void> {
  await vi.waitFor(() => expect(adapter.executed).toHaveLength(count));
}

export async function ends(bench: Bench, commandId: string, count = 1): Promise<(Finished | undefined)[]> {
  await vi.waitFor(() => expect(bench.finished(commandId)).toHaveLength(count));
  return bench.finished(commandId);
}

export async function killed(): Promise<Bench> {
  const bench = openDesk();
  bench.desk.receive([delivery('a')]);
  await untilRunning(bench);
  return bench;
}

export async function waiting(over: MessageInitShape<typeof CommandDeliverySchema> = {}): Promise<Bench> {
  const bench = openDesk();
  bench.desk.receive([delivery('first'), delivery('second', { sequence: 2n, ...over })]);
  await untilRunning(bench);
  return bench;
}

export async function overrun(): Promise<Bench> {
  const bench = openDesk();
  bench.desk.receive([delivery('a')]);
  await untilRunning(bench);
  scene.manual.advance(30_250);
  const [end] = await ends(bench, 'a');
  expect(end).toMatchObject({ state: CommandState.OUTCOME_UNKNOWN, error: { reason: ErrorReason.FINISH_DEADLINE } });
  return bench;
}
