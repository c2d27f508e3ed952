import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test, vi } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import {
  delivery,
  ends,
  HeldAdapter,
  openDesk,
  overrun,
  restart,
  scene,
  untilRunning,
  useDesk,
  waiting,
} from './test-desk.ts';

useDesk();

describe('an answer that gets better', () => {
  test('replaces the unknown outcome, also one that is acknowledged already', async () => {
    const bench = await overrun();
    bench.desk.acknowledge(['a']);
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    const all = await ends(bench, 'a', 2);
    expect(all[1]).toMatchObject({ state: CommandState.SUCCEEDED });
    expect(scene.journal.load().entries).toHaveLength(1);
    bench.desk.acknowledge(['a']);
    await vi.waitFor(() => expect(scene.journal.load().entries).toHaveLength(0));
  });

  test('is not taken for acknowledged by the acknowledgement of the first answer', async () => {
    const bench = await overrun();
    bench.adapter.outcomes[0]?.resolve({ status: 'succeeded' });
    await ends(bench, 'a', 2);
    bench.desk.acknowledge(['a']);
    expect((await ends(bench, 'a', 3))[2]).toMatchObject({ state: CommandState.SUCCEEDED });
    expect(scene.journal.load().entries).toHaveLength(1);
    bench.desk.acknowledge(['a']);
    await vi.waitFor(() => expect(scene.journal.load().entries).toHaveLength(0));
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
    await scene.journal.close();
    const database = new DatabaseSync(join(scene.directory, 'journal.db'));
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
    await vi.waitFor(() => expect(scene.journal.load()).toEqual({ entries: [], damaged: [] }));
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
  const real = scene.journal.receive.bind(scene.journal);
  const gate = Promise.withResolvers<void>();
  vi.spyOn(scene.journal, 'receive').mockImplementation(async (entries) => {
    await real(entries);
    await gate.promise;
  });
  bench.desk.receive([delivery('a')]);
  await vi.waitFor(() => expect(scene.journal.find('a')).toBeDefined());
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
    scene.manual.advance(1_000);
    bench.desk.sweep();
    expect(await ends(bench, 'second')).toMatchObject([
      { state: CommandState.EXPIRED, error: { reason: ErrorReason.START_DEADLINE } },
    ]);
  });
});
