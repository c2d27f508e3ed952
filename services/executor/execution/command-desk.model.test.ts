import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type CommandDelivery,
  CommandDeliverySchema,
  type Finished,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import type { Adapter, AdapterCommand, ExecutionContext, Outcome, Recovery } from '../adapters/adapter.ts';
import type { AgentClock } from '../agent-clock.ts';
import { kindName } from '../adapters/command-kinds.ts';
import { STOP_KINDS } from '../domain/kinds.ts';
import { parseOrderingKey, relatedKeys } from '../domain/ordering-key.ts';
import { isSupersededBy } from '../domain/stop-fence.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import { silentLogger } from '../test-platform.ts';
import { CommandDesk } from './command-desk.ts';
import { Outbox, type OutboxReader } from './outbox.ts';

/** A disk that writes when it is told to, and forgets what it had not written when the process is killed. */
class StepwiseJournal implements Journal {
  readonly id = 'journal';
  readonly disk = new Map<string, JournalEntry>();
  #waiting: { readonly apply: () => void; readonly resolve: () => void }[] = [];

  commit(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    for (const { apply } of writes) apply();
    for (const { resolve } of writes) resolve();
  }

  kill(): void {
    this.#waiting = [];
  }

  load() {
    const open = [...this.disk.values()].filter((entry) => !entry.acknowledged);
    return { entries: open.toSorted((a, b) => a.sequence - b.sequence), damaged: [] };
  }

  find(commandId: string) {
    return this.disk.get(commandId);
  }

  stops() {
    return [...this.disk.values()].filter(({ kind }) => STOP_KINDS.includes(kind));
  }

  receive(entries: readonly JournalEntry[]) {
    return this.#write(() => {
      for (const entry of entries) this.disk.set(entry.commandId, entry);
    });
  }

  adoptAttempt(commandId: string, attempt: number) {
    return this.#change(commandId, () => ({ attempt }));
  }

  start(commandId: string, startedAt: JournalEntry['startedAt']) {
    return this.#change(commandId, () => ({ startedAt, stage: 'running' }));
  }

  finish(commandId: string, finishedAt: JournalEntry['finishedAt'], answer: Uint8Array) {
    return this.#change(commandId, () => ({ finishedAt, answer, stage: 'finished', acknowledged: false }));
  }

  acknowledge(commandIds: readonly string[]) {
    const all = commandIds.map((id) => this.#change(id, (entry) => ({ acknowledged: entry.stage === 'finished' })));
    return Promise.all(all).then(() => undefined);
  }

  setAside(): Promise<void> {
    throw new Error('nothing is damaged here');
  }

  prune() {
    return 0;
  }

  close() {
    return Promise.resolve();
  }

  #change(commandId: string, change: (entry: JournalEntry) => Partial<JournalEntry>): Promise<void> {
    return this.#write(() => {
      const entry = this.disk.get(commandId);
      if (entry !== undefined) this.disk.set(commandId, { ...entry, ...change(entry) });
    });
  }

  #write(apply: () => void): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ apply, resolve }));
  }
}

function fail(thrown: unknown): void {
  throw thrown;
}

interface Run {
  readonly command: AdapterCommand;
  readonly context: ExecutionContext;
  readonly outcome: PromiseWithResolvers<Outcome>;
}

/** The venue, which outlives every agent, and what it saw. */
class World {
  readonly journal = new StepwiseJournal();
  readonly manual = new ManualClock();
  readonly effects: string[] = [];
  readonly violations: string[] = [];
  readonly issued = new Map<string, CommandDelivery>();
  readonly told = new Map<string, Finished[]>();
  readonly received = new Set<string>();
  running: Run[] = [];
  desk!: CommandDesk;
  #reader!: OutboxReader;

  constructor() {
    this.startAgent();
  }

  startAgent(): void {
    const reading = () => ({
      wallMs: this.manual.nowMs(),
      uptimeMs: this.manual.nowMs(),
      monotonicMs: this.manual.nowMs(),
    });
    const clock: AgentClock = {
      nowMs: () => this.manual.nowMs(),
      steadyMs: () => this.manual.steadyMs(),
      after: this.manual.after.bind(this.manual),
      reading,
    };
    const outbox = new Outbox(clock, 1_000);
    const { journal } = this;
    const fixed = { onFatal: fail, limits: {}, concurrencyMax: 3, logger: silentLogger };
    this.desk = new CommandDesk({ ...fixed, adapter: this.#adapter(), journal, clock, outbox });
    this.desk.restore();
    this.#reader = outbox.open(() => undefined);
    this.desk.resync();
  }

  kill(): void {
    this.journal.kill();
    this.desk.close();
    this.running = [];
    this.startAgent();
  }

  /** Lets everything that follows from the last step happen, and hears what is told. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let events = this.#reader.take(); events.length > 0; events = this.#reader.take()) {
      for (const { commandId, event } of events) {
        expect(this.journal.disk.has(commandId)).toBe(true);
        if (event.case === 'received') this.received.add(commandId);
        if (event.case !== 'finished') continue;
        const before = this.end(commandId);
        // An end is final, apart from failures that may pass.
        if (before !== undefined && before.error?.retryable !== true) expect(event.value.state).toBe(before.state);
        this.told.set(commandId, [...(this.told.get(commandId) ?? []), event.value]);
      }
    }
  }

  end(commandId: string): Finished | undefined {
    return this.told.get(commandId)?.at(-1);
  }

  /** The venue acts on a running command, unless it was told to stop. */
  act(run: Run): void {
    if (this.effects.includes(run.command.id)) return;
    if (run.context.signal.aborted) this.answer(run);
    else this.effects.push(run.command.id);
  }

  /** A running command comes back: done, or failed in a way that may pass. */
  answer(run: Run): void {
    this.running = this.running.filter((other) => other !== run);
    const done = this.effects.includes(run.command.id);
    if (done) run.outcome.resolve({ status: 'succeeded' });
    else if (run.context.signal.aborted) run.outcome.reject(run.context.signal.reason);
    else run.outcome.resolve({ status: 'failed', retryable: true, message: 'busy' });
  }

  #adapter(): Adapter {
    return {
      name: 'model',
      kinds: ['startSession', 'stopSession', 'openPosition', 'closePosition', 'stopAll', 'ping'],
      execute: (command, context) => this.#execute(command, context),
      recover: ({ id }): Recovery => (this.effects.includes(id) ? { status: 'succeeded' } : 'not_executed'),
      status: () => ({}),
    };
  }

  #execute(command: AdapterCommand, context: ExecutionContext): Promise<Outcome> {
    const delivery = this.issued.get(command.id);
    const onDisk = this.journal.disk.get(command.id);
    if (delivery === undefined || onDisk?.stage !== 'running')
      this.violations.push(`${command.id} started unjournaled`);
    else this.#judgeStart(delivery);
    const run = { command, context, outcome: Promise.withResolvers<Outcome>() };
    this.running.push(run);
    return run.outcome.promise;
  }

  /** Kept apart: what an adapter throws is a failure of the adapter to the agent, and would not fail the test. */
  #judgeStart(delivery: CommandDelivery): void {
    const { commandId } = delivery;
    if (this.effects.includes(commandId)) this.violations.push(`${commandId} started after its effect`);
    for (const { command } of this.running) {
      const other = this.issued.get(command.id);
      if (other === undefined || delivery.overtakes || !areRelated(delivery, other)) continue;
      this.violations.push(`${commandId} started beside ${other.commandId}`);
    }
    for (const stop of this.effects.filter((id) => isMadePointlessBy(delivery, this.issued.get(id)))) {
      this.violations.push(`${commandId} started after its stop ${stop}`);
    }
  }
}

function areRelated(a: CommandDelivery, b: CommandDelivery): boolean {
  const left = parseOrderingKey(a.orderingKey);
  const right = parseOrderingKey(b.orderingKey);
  return left !== undefined && right !== undefined && relatedKeys(left, right);
}

function fenced({ kind, orderingKey, sequence }: CommandDelivery) {
  return { kind: kindName(kind.case), orderingKey, sequence: Number(sequence) };
}

function isMadePointlessBy(start: CommandDelivery, stop: CommandDelivery | undefined): boolean {
  if (stop === undefined) return false;
  return isSupersededBy(fenced(start), { commandId: stop.commandId, ...fenced(stop) });
}

const kinds = [
  { kind: { case: 'startSession', value: { sessionId: 's' } }, orderingKey: '/s' },
  { kind: { case: 'stopSession', value: { sessionId: 's' } }, orderingKey: '/s' },
  { kind: { case: 'openPosition', value: { symbol: 'BTC' } }, orderingKey: '/s/x/BTC' },
  { kind: { case: 'closePosition', value: { symbol: 'BTC' } }, orderingKey: '/s/x/BTC' },
  { kind: { case: 'openPosition', value: { symbol: 'ETH' } }, orderingKey: '/s/x/ETH' },
  { kind: { case: 'stopAll', value: {} }, orderingKey: '/', overtakes: true },
  { kind: { case: 'stopAll', value: {} }, orderingKey: '/', overtakes: true },
  { kind: { case: 'ping', value: {} }, orderingKey: '' },
] as const;

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('issue' as const), kind: fc.constantFrom(...kinds) }) },
  { weight: 8, arbitrary: fc.constant({ do: 'commit' as const }) },
  ...(['act', 'answer', 'repeat', 'retry', 'cancel', 'acknowledge'] as const).map((name) => ({
    weight: name === 'act' || name === 'answer' ? 5 : 2,
    arbitrary: fc.record({ do: fc.constant(name), pick: fc.nat() }),
  })),
  { weight: 1, arbitrary: fc.constant({ do: 'kill' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 30_000) }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function pickOf<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % Math.max(items.length, 1)];
}

function take(world: World, action: Step, sequence: number): void {
  switch (action.do) {
    case 'issue': {
      const delivery = create(CommandDeliverySchema, {
        ...action.kind,
        commandId: `c${sequence}`,
        attempt: 1,
        sequence: BigInt(sequence),
        startWithin: durationFromMs(60_000),
      });
      world.issued.set(delivery.commandId, delivery);
      world.desk.receive([delivery]);
      return;
    }
    case 'commit':
      world.journal.commit();
      return;
    case 'kill':
      world.kill();
      return;
    case 'wait':
      world.manual.advance(action.ms);
      world.desk.sweep();
      return;
    case 'act':
    case 'answer': {
      const run = pickOf(world.running, action.pick);
      if (run !== undefined) world[action.do](run);
      return;
    }
    case 'repeat':
    case 'retry': {
      const known = pickOf([...world.issued.values()], action.pick);
      if (known === undefined) return;
      const again = { ...known, attempt: known.attempt + Number(action.do === 'retry') };
      world.issued.set(known.commandId, again);
      world.desk.receive([again]);
      return;
    }
    case 'cancel':
    case 'acknowledge': {
      const id = pickOf([...(action.do === 'cancel' ? world.issued : world.told).keys()], action.pick);
      if (id !== undefined) world.desk[action.do]([id]);
    }
  }
}

test('whatever happens in whatever order, kills included: one effect at most, and one honest end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const world = new World();
      for (const [sequence, action] of steps.entries()) {
        take(world, action, sequence + 1);
        await world.settle();
      }
      // What was received is brought to its end: the disk writes, the venue acts and answers.
      for (let round = 0; round < 300; round++) {
        world.journal.commit();
        await world.settle();
        const [run] = world.running;
        if (run === undefined && [...world.issued.keys()].every((id) => world.end(id) !== undefined)) break;
        if (run !== undefined) {
          world.act(run);
          world.answer(run);
        }
        await world.settle();
      }
      expect(world.violations).toEqual([]);
      expect(new Set(world.effects).size).toBe(world.effects.length);
      for (const id of world.received) {
        const end = world.end(id);
        expect(end, `the end of ${id}`).toBeDefined();
        const tookEffect = world.effects.includes(id);
        expect(end?.state === CommandState.SUCCEEDED, `${id} says how it ended`).toBe(tookEffect);
      }
    }),
    { numRuns: 1_500 },
  );
}, 60_000);
