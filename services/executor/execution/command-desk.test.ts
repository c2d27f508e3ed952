import type { Recovery } from '../adapters/adapter.ts';
import { describe, expect, test, vi } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import {
  delivery,
  ends,
  HeldAdapter,
  killed,
  openDesk,
  restart,
  scene,
  untilRunning,
  useDesk,
  waiting,
} from './test-desk.ts';

useDesk();

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
      scene.manual.advance(5_000);
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
    scene.wallStepMs = -3_600_000;
    const bench = await restart(before);
    expect(await ends(bench, 'second')).toMatchObject([{ state: CommandState.EXPIRED }]);
    bench.desk.receive([delivery('third', { sequence: 3n }), delivery('fourth', { sequence: 4n })]);
    await untilRunning(bench);
    scene.wallStepMs = -7_200_000;
    const again = await restart(bench);
    await untilRunning(again);
    expect(again.adapter.executed).toEqual(['fourth']);
  });

  test('a command that waits behind another too long expires without its turn', async () => {
    const bench = await waiting();
    scene.manual.advance(60_000);
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
  expect(scene.journal.load().entries).toMatchObject([{ commandId: 'a', stage: 'finished' }]);
});
