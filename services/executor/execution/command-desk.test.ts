import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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

let directory: string;
let journal: Journal;
let manual: ManualClock;
/** What the wall clock shows beside the clocks that never step. */
let wallStepMs: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-desk-'));
  manual = new ManualClock();
  wallStepMs = 0;
});

afterEach(async () => {
  await journal.close();
  rmSync(directory, { recursive: true });
});

/** An adapter whose executions end when the test says so. */
class HeldAdapter implements Adapter {
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

interface Bench {
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
function openDesk(adapter = new HeldAdapter()): Bench {
  journal = openJournal(directory);
  const clock: AgentClock = {
    nowMs: () => manual.nowMs() + wallStepMs,
    after: manual.after.bind(manual),
    reading: () => ({
      wallMs: manual.nowMs() + wallStepMs,
      uptimeMs: manual.nowMs(),
      monotonicMs: manual.nowMs(),
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
async function restart(bench: Bench, adapter = new HeldAdapter(), absentMs = 0): Promise<Bench> {
  bench.desk.close();
  await journal.close();
  manual.advance(absentMs);
  return openDesk(adapter);
}

function delivery(commandId: string, over: MessageInitShape<typeof CommandDeliverySchema> = {}) {
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

async function untilRunning({ adapter }: Bench, count = 1): Promise<void> {
  await vi.waitFor(() => expect(adapter.executed).toHaveLength(count));
}

async function ends(bench: Bench, commandId: string, count = 1): Promise<(Finished | undefined)[]> {
  await vi.waitFor(() => expect(bench.finished(commandId)).toHaveLength(count));
  return bench.finished(commandId);
}

async function killed(): Promise<Bench> {
  const bench = openDesk();
  bench.desk.receive([delivery('a')]);
  await untilRunning(bench);
  return bench;
}

async function waiting(over: MessageInitShape<typeof CommandDeliverySchema> = {}): Promise<Bench> {
  const bench = openDesk();
  bench.desk.receive([delivery('first'), delivery('second', { sequence: 2n, ...over })]);
  await untilRunning(bench);
  return bench;
}
async function overrun(): Promise<Bench> {
  const bench = openDesk();
  bench.desk.receive([delivery('a')]);
  await untilRunning(bench);
  manual.advance(30_250);
  const [end] = await ends(bench, 'a');
  expect(end).toMatchObject({ state: CommandState.OUTCOME_UNKNOWN, error: { reason: ErrorReason.FINISH_DEADLINE } });
  return bench;
}

describe('a command that was running when the agent was killed', () => {
  test('ends as the venue says that it ended', async () => {
    const adapter = new HeldAdapter();
    adapter.recovery = () => ({ status: 'succeeded', result: { summary: 'found at the venue' } });
    const bench = await restart(await killed(), adapter);
    expect(await ends(bench, 'a')).toMatchObject([
      { state: CommandState.SUCCEEDED, result: { summary: 'found at the venue' } },
    ]);
    expect(adapter.executed).toEqual([]);
  });

  test('is executed when nothing took effect and its time is not over', async () => {
    const adapter = new HeldAdapter();
    adapter.recovery = () => 'not_executed';
    const bench = await restart(await killed(), adapter);
    await untilRunning(bench);
    adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    expect(await ends(bench, 'a')).toMatchObject([{ state: CommandState.SUCCEEDED }]);
  });

  test('expires when nothing took effect and its time is over', async () => {
    const adapter = new HeldAdapter();
    adapter.recovery = () => 'not_executed';
    const bench = await restart(await killed(), adapter, 30_000);
    expect(await ends(bench, 'a')).toMatchObject([{ state: CommandState.EXPIRED }]);
    expect(adapter.executed).toEqual([]);
  });

  test('is cancelled when nothing took effect and a cancel came meanwhile', async () => {
    const adapter = new HeldAdapter();
    adapter.recovery = () => 'not_executed';
    const bench = await restart(await killed(), adapter);
    bench.desk.cancel(['a']);
    expect(await ends(bench, 'a')).toMatchObject([{ state: CommandState.CANCELLED }]);
  });

  test('is not tried again when a kill switch had overtaken it', async () => {
    const before = openDesk();
    before.desk.receive([delivery('start', { kind: { case: 'startSession', value: { sessionId: 's' } } })]);
    await untilRunning(before);
    const stopAll = { kind: { case: 'stopAll' as const, value: {} }, orderingKey: '/', overtakes: true };
    before.desk.receive([delivery('stop', { ...stopAll, sequence: 2n })]);
    await untilRunning(before, 2);
    const adapter = new HeldAdapter();
    adapter.recovery = () => 'not_executed';
    const bench = await restart(before, adapter);
    expect(await ends(bench, 'start')).toMatchObject([
      { state: CommandState.CANCELLED, error: { reason: ErrorReason.SUPERSEDED, metadata: { superseded_by: 'stop' } } },
    ]);
    await untilRunning(bench);
    expect(adapter.executed).toEqual(['stop']);
  });

  test('has an unknown outcome when the venue cannot tell', async () => {
    const bench = await restart(await killed());
    const [end] = await ends(bench, 'a');
    expect(end).toMatchObject({ state: CommandState.OUTCOME_UNKNOWN, error: { reason: ErrorReason.EFFECT_UNCERTAIN } });
  });

  test('is asked about again when the adapter throws', async () => {
    const adapter = new HeldAdapter();
    let asked = 0;
    adapter.recovery = () => {
      asked += 1;
      if (asked < 3) throw new Error('the venue is not there yet');
      return { status: 'succeeded' };
    };
    const bench = await restart(await killed(), adapter);
    await vi.waitFor(() => {
      manual.advance(5_000);
      expect(bench.finished('a')).toHaveLength(1);
    });
    expect(asked).toBe(3);
  });

  test('holds its key until its outcome is known', async () => {
    const adapter = new HeldAdapter();
    const asked = Promise.withResolvers<Recovery>();
    const before = await killed();
    before.desk.receive([delivery('b', { sequence: 2n })]);
    await vi.waitFor(() => expect(before.events().map((event) => event.commandId)).toContain('b'));
    Object.assign(adapter, { recover: () => asked.promise });
    const bench = await restart(before, adapter);
    bench.desk.receive([delivery('c', { sequence: 3n, orderingKey: '/t' })]);
    await untilRunning(bench);
    expect(adapter.executed).toEqual(['c']);
    asked.resolve({ status: 'succeeded' });
    await untilRunning(bench, 2);
    expect(adapter.executed).toEqual(['c', 'b']);
  });
});

describe('a command that was waiting when the agent was killed', () => {
  const open = { kind: { case: 'openPosition' as const, value: { symbol: 'BTC' } } };

  test('starts in its turn', async () => {
    const bench = await restart(await waiting());
    await untilRunning(bench);
    expect(bench.adapter.executed).toEqual(['second']);
  });

  test('expires when its time passed while nobody watched', async () => {
    const bench = await restart(await waiting(), new HeldAdapter(), 60_000);
    expect(await ends(bench, 'second')).toMatchObject([{ state: CommandState.EXPIRED }]);
  });

  test('an entry expires when the wall clock went back meanwhile, and an exit does not', async () => {
    const before = await waiting(open);
    wallStepMs = -3_600_000;
    const bench = await restart(before);
    expect(await ends(bench, 'second')).toMatchObject([{ state: CommandState.EXPIRED }]);
    bench.desk.receive([delivery('third', { sequence: 3n }), delivery('fourth', { sequence: 4n })]);
    await untilRunning(bench);
    wallStepMs = -7_200_000;
    const again = await restart(bench);
    await untilRunning(again);
    expect(again.adapter.executed).toEqual(['fourth']);
  });

  test('a command that waits behind another too long expires without its turn', async () => {
    const bench = await waiting();
    manual.advance(60_000);
    bench.desk.sweep();
    expect(await ends(bench, 'second')).toMatchObject([
      { state: CommandState.EXPIRED, error: { reason: ErrorReason.START_DEADLINE } },
    ]);
    expect(bench.adapter.executed).toEqual(['first']);
  });
});

test('a cancel that comes while the start is being journaled keeps the command from the adapter', async () => {
  const bench = openDesk();
  bench.desk.receive([delivery('a')]);
  bench.desk.cancel(['a']);
  expect(await ends(bench, 'a')).toMatchObject([{ state: CommandState.CANCELLED }]);
  expect(bench.adapter.executed).toEqual([]);
  expect(journal.load().entries).toMatchObject([{ commandId: 'a', stage: 'finished' }]);
});

describe('an answer that gets better', () => {
  test('replaces the unknown outcome, also one that is acknowledged already', async () => {
    const bench = await overrun();
    bench.desk.acknowledge(['a']);
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    const all = await ends(bench, 'a', 2);
    expect(all[1]).toMatchObject({ state: CommandState.SUCCEEDED });
    expect(journal.load().entries).toHaveLength(1);
    bench.desk.acknowledge(['a']);
    await vi.waitFor(() => expect(journal.load().entries).toHaveLength(0));
  });

  test('is not taken for acknowledged by the acknowledgement of the first answer', async () => {
    const bench = await overrun();
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    await ends(bench, 'a', 2);
    bench.desk.acknowledge(['a']);
    expect((await ends(bench, 'a', 3))[2]).toMatchObject({ state: CommandState.SUCCEEDED });
    expect(journal.load().entries).toHaveLength(1);
    bench.desk.acknowledge(['a']);
    await vi.waitFor(() => expect(journal.load().entries).toHaveLength(0));
  });

  test('is asked of the venue when the platform asks', async () => {
    const before = openDesk();
    before.desk.receive([delivery('a')]);
    await untilRunning(before);
    const bench = await restart(before);
    await ends(bench, 'a');
    bench.desk.inquire(['a']);
    expect((await ends(bench, 'a', 2))[1]).toMatchObject({ state: CommandState.OUTCOME_UNKNOWN });
    bench.adapter.recovery = () => ({ status: 'rejected', message: 'the venue refused it' });
    bench.desk.inquire(['a']);
    expect((await ends(bench, 'a', 3))[2]).toMatchObject({ state: CommandState.REJECTED });
  });
});

describe('what goes wrong', () => {
  test('damaged entries end with an unknown outcome, and the others go on', async () => {
    const before = openDesk();
    before.desk.receive(['a', 'b', 'c'].map((id, at) => delivery(id, { orderingKey: `/${id}`, sequence: BigInt(at) })));
    await untilRunning(before, 3);
    before.desk.close();
    await journal.close();
    const database = new DatabaseSync(join(directory, 'journal.db'));
    database.exec(
      `UPDATE entry SET delivery = x'ff00ff' WHERE command_id = 'a'; UPDATE entry SET attempt = -1e300 WHERE command_id = 'b'`.replace(
        '-1e300',
        '9223372036854775807',
      ),
    );
    database.close();
    const adapter = new HeldAdapter();
    adapter.recovery = () => ({ status: 'succeeded' });
    const bench = openDesk(adapter);
    bench.desk.resync();
    expect(await ends(bench, 'c')).toMatchObject([{ state: CommandState.SUCCEEDED }]);
    for (const id of ['a', 'b']) {
      expect(await ends(bench, id)).toMatchObject([
        { state: CommandState.OUTCOME_UNKNOWN, error: { reason: ErrorReason.EFFECT_UNCERTAIN } },
      ]);
    }
    bench.desk.acknowledge(['a', 'b', 'c']);
    await vi.waitFor(() => expect(journal.load()).toEqual({ entries: [], damaged: [] }));
  });

  test('an adapter that throws fails the command, and nothing else', async () => {
    const bench = openDesk();
    bench.desk.receive([delivery('a'), delivery('b', { sequence: 2n })]);
    await untilRunning(bench);
    bench.adapter.outcomes[0]?.reject(new Error('null is not a function'));
    expect(await ends(bench, 'a')).toMatchObject([
      { state: CommandState.FAILED, error: { reason: ErrorReason.ADAPTER_FAILED, retryable: false } },
    ]);
    await untilRunning(bench, 2);
  });

  test('a result that is too large for a frame is left out, and the end stands', async () => {
    const bench = openDesk();
    bench.desk.receive([delivery('a')]);
    await untilRunning(bench);
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded', result: { payload: 'x'.repeat(300_000) } });
    const [end] = await ends(bench, 'a');
    expect(end?.state).toBe(CommandState.SUCCEEDED);
    expect(end?.result?.payload).toBe('');
    expect(end?.result?.summary).toMatch(/^the result had 30\d{4} bytes/);
  });

  test('a delivery that cannot be journaled is passed over', async () => {
    const bench = openDesk();
    bench.desk.receive([delivery(''), delivery('x'.repeat(200)), delivery('neg', { sequence: -1n }), delivery('good')]);
    await untilRunning(bench);
    expect(bench.adapter.executed).toEqual(['good']);
    expect(bench.desk.open).toBe(1);
  });
});

test('nothing is told, and nothing executed, before the journal has it on disk', async () => {
  const bench = openDesk();
  const real = journal.receive.bind(journal);
  const gate = Promise.withResolvers<void>();
  vi.spyOn(journal, 'receive').mockImplementation(async (entries) => {
    await real(entries);
    await gate.promise;
  });
  bench.desk.receive([delivery('a')]);
  await vi.waitFor(() => expect(journal.find('a')).toBeDefined());
  expect(bench.events()).toEqual([]);
  expect(bench.adapter.executed).toEqual([]);
  gate.resolve();
  await untilRunning(bench);
  expect(bench.events().map(({ event }) => event.case)).toEqual(['received', 'started']);
});

describe('while another machine acts', () => {
  test('nothing is started, what runs goes on, and all of it goes on when this one is accepted again', async () => {
    const bench = await waiting();
    bench.desk.standBy(true);
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    expect(await ends(bench, 'first')).toMatchObject([{ state: CommandState.SUCCEEDED }]);
    expect(bench.adapter.executed).toEqual(['first']);
    bench.desk.standBy(false);
    await untilRunning(bench, 2);
    expect(bench.adapter.executed).toEqual(['first', 'second']);
  });

  test('what becomes too late to start ends', async () => {
    const bench = await waiting({ startWithin: durationFromMs(1_000) });
    bench.desk.standBy(true);
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    await ends(bench, 'first');
    manual.advance(1_000);
    bench.desk.sweep();
    expect(await ends(bench, 'second')).toMatchObject([
      { state: CommandState.EXPIRED, error: { reason: ErrorReason.START_DEADLINE } },
    ]);
  });
});
