import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandState, Preconditions_SessionState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import type { CommandDeliverySchema } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import type { Adapter } from './adapters/adapter.ts';
import { createPaperAdapter } from './adapters/paper/paper-adapter.ts';
import { createExecutor, type Executor, type ExecutorOptions } from './agent.ts';
import { silentLogger, TestPlatform } from './test-platform.ts';

type Delivery = MessageInitShape<typeof CommandDeliverySchema>;

let platform: TestPlatform;
let directory: string;
let executors: Executor[];

beforeEach(async () => {
  platform = await TestPlatform.start();
  directory = mkdtempSync(join(tmpdir(), 'strategos-agent-'));
  executors = [];
});

afterEach(async () => {
  await Promise.all(executors.map((executor) => executor.stop()));
  await platform.stop();
  rmSync(directory, { recursive: true });
});

async function startAgent(options: Partial<ExecutorOptions> = {}): Promise<Executor> {
  const executor = createExecutor({
    credentials: platform.credentials(),
    adapter: createPaperAdapter(),
    journalDirectory: directory,
    logger: silentLogger,
    ...options,
  });
  executors.push(executor);
  await executor.start();
  return executor;
}

let sequence = 0n;

function delivery(commandId: string, kind: Delivery['kind'], over: Delivery = {}): Delivery {
  sequence += 1n;
  return {
    commandId,
    attempt: 1,
    sequence,
    orderingKey: '/s',
    kind: kind ?? { case: undefined },
    startWithin: durationFromMs(60_000),
    finishWithin: durationFromMs(60_000),
    ...over,
  };
}

const stopSession: Delivery['kind'] = { case: 'stopSession', value: { sessionId: 's' } };

/** Paper, with a gate before the effect, another after it, and a count of effects. */
function gatedAdapter() {
  const paper = createPaperAdapter();
  const gates = { before: Promise.resolve(), after: Promise.resolve() };
  const executed: string[] = [];
  const adapter: Adapter = {
    name: 'gated',
    kinds: paper.kinds,
    open: (context) => paper.open?.(context),
    close: () => paper.close?.(),
    recover: (command, context) => paper.recover(command, context),
    status: () => paper.status(),
    async execute(command, context) {
      await gates.before;
      executed.push(command.id);
      const outcome = await paper.execute(command, context);
      await gates.after;
      return outcome;
    },
  };
  return { adapter, gates, executed };
}

function opening(symbol: string, quantity: string, referencePrice: string): Delivery['kind'] {
  return { case: 'openPosition', value: { symbol, quantity, referencePrice, side: Side.BUY } };
}

function never(): Promise<void> {
  return new Promise(() => undefined);
}

describe('the agent', () => {
  test('says hello, receives, starts and finishes, in that order, and is told so', async () => {
    const executor = await startAgent();
    const stream = await platform.stream(0);
    expect(stream.hello.kinds).toContain('open_position');
    expect(stream.hello.contractDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(stream.hello.inFlightMax).toBe(256);
    stream.deliver(delivery('a', stopSession));
    expect((await stream.finished('a')).state).toBe(CommandState.SUCCEEDED);
    expect(stream.eventsOf('a')).toEqual(['received', 'started', 'finished']);
    expect(executor.state).toMatchObject({ kind: 'ready', via: 'stream', streamEpoch: 1n });
  });

  test('answers a repeated delivery from its journal, also after a restart, and executes once', async () => {
    const { adapter, executed } = gatedAdapter();
    const executor = await startAgent({ adapter });
    const command = delivery('a', stopSession);
    const stream = await platform.stream(0);
    stream.deliver(command);
    await stream.finished('a');
    stream.deliver(command);
    await stream.finished('a', 1);
    await executor.stop();
    await startAgent({ adapter });
    const again = await platform.stream(1);
    expect(again.hello.journalId).toBe(stream.hello.journalId);
    expect(again.hello.journal).toEqual([]);
    again.deliver({ ...command, attempt: 4 });
    expect((await again.event('a', 'finished')).attempt).toBe(4);
    expect(executed).toEqual(['a']);
  });

  test('keeps a result until it is acknowledged, and tells it to every new stream', async () => {
    platform.acknowledges = false;
    const executor = await startAgent({ stopGraceMs: 0 });
    const stream = await platform.stream(0);
    stream.deliver(delivery('a', stopSession));
    await stream.finished('a');
    await executor.stop();
    platform.acknowledges = true;
    await startAgent();
    const again = await platform.stream(1);
    expect(again.hello.journal).toMatchObject([{ commandId: 'a', state: CommandState.SUCCEEDED, attempt: 1 }]);
    expect((await again.finished('a')).state).toBe(CommandState.SUCCEEDED);
  });

  test('executes again after a failure that may pass, and only then', async () => {
    const attempts: number[] = [];
    const adapter: Adapter = {
      name: 'flaky',
      kinds: createPaperAdapter().kinds,
      recover: () => 'unknown',
      status: () => ({}),
      execute({ attempt }) {
        attempts.push(attempt);
        return attempt === 1
          ? { status: 'failed', retryable: true, message: 'the venue is busy' }
          : { status: 'succeeded' };
      },
    };
    await startAgent({ adapter });
    const stream = await platform.stream(0);
    const command = delivery('a', stopSession);
    stream.deliver(command);
    expect((await stream.finished('a')).error).toMatchObject({
      retryable: true,
      reason: ErrorReason.VENUE_UNAVAILABLE,
    });
    stream.deliver({ ...command, attempt: 2 });
    expect((await stream.finished('a', 1)).state).toBe(CommandState.SUCCEEDED);
    stream.deliver({ ...command, attempt: 3 });
    expect((await stream.event('a', 'finished', 2)).attempt).toBe(3);
    expect(attempts).toEqual([1, 2]);
  });

  test('starts related commands in issue order, one after the other, and unrelated ones side by side', async () => {
    const { adapter, gates, executed } = gatedAdapter();
    const gate = Promise.withResolvers<void>();
    gates.before = gate.promise;
    await startAgent({ adapter });
    const stream = await platform.stream(0);
    const [first, second, third] = [1, 2, 3].map((n) => delivery(`c${n}`, stopSession));
    stream.deliver(third ?? {}, second ?? {}, first ?? {}, delivery('other', stopSession, { orderingKey: '/t' }));
    await stream.event('c1', 'started');
    await stream.event('other', 'started');
    expect(stream.eventsOf('c2')).toEqual(['received']);
    gate.resolve();
    await stream.finished('c3');
    expect(executed.filter((id) => id !== 'other')).toEqual(['c1', 'c2', 'c3']);
  });

  test('a command that is too late to start expires without reaching the adapter', async () => {
    const { adapter, executed } = gatedAdapter();
    await startAgent({ adapter });
    const stream = await platform.stream(0);
    stream.deliver(delivery('a', stopSession, { startWithin: durationFromMs(0) }));
    const end = await stream.finished('a');
    expect(end.state).toBe(CommandState.EXPIRED);
    expect(end.error?.reason).toBe(ErrorReason.START_DEADLINE);
    expect(executed).toEqual([]);
  });

  test('an adapter that overruns its deadline leaves the outcome unknown, and settles it when it returns', async () => {
    const { adapter, gates } = gatedAdapter();
    const gate = Promise.withResolvers<void>();
    gates.before = gate.promise;
    await startAgent({ adapter });
    const stream = await platform.stream(0);
    stream.deliver(delivery('a', stopSession, { finishWithin: durationFromMs(30) }));
    const end = await stream.finished('a');
    expect(end.state).toBe(CommandState.OUTCOME_UNKNOWN);
    expect(end.error?.reason).toBe(ErrorReason.FINISH_DEADLINE);
    gate.resolve();
    expect((await stream.finished('a', 1)).state).toBe(CommandState.SUCCEEDED);
  });

  test('a cancel drops what waits and aborts what runs', async () => {
    await startAgent({ adapter: createPaperAdapter({ latencyMs: 60_000 }) });
    const stream = await platform.stream(0);
    stream.deliver(delivery('running', stopSession), delivery('waiting', stopSession));
    await stream.event('running', 'started');
    stream.send({ case: 'cancels', value: { commandIds: ['running', 'waiting'] } });
    for (const id of ['waiting', 'running']) {
      const end = await stream.finished(id);
      expect(end.state).toBe(CommandState.CANCELLED);
      expect(end.error?.reason).toBe(ErrorReason.CANCELLED);
    }
    expect(stream.eventsOf('waiting')).toEqual(['received', 'finished']);
  });

  test('a stop supersedes the starts that it overtakes, also those that arrive after it', async () => {
    const { adapter, executed } = gatedAdapter();
    await startAgent({ adapter });
    const stream = await platform.stream(0);
    const late = delivery('late', { case: 'startSession', value: { sessionId: 's' } });
    const start = delivery('start', { case: 'startSession', value: { sessionId: 's' } });
    const open = delivery('open', { case: 'openPosition', value: { symbol: 'BTC', sessionId: 's' } });
    const ping = delivery('ping', { case: 'ping', value: { payload: 'x' } }, { orderingKey: '' });
    const stopAll: Delivery['kind'] = { case: 'stopAll', value: {} };
    stream.deliver(start, open, ping, delivery('stop', stopAll, { orderingKey: '/', overtakes: true }));
    expect((await stream.finished('stop')).state).toBe(CommandState.SUCCEEDED);
    stream.deliver(late);
    for (const id of ['start', 'open', 'late']) {
      const end = await stream.finished(id);
      expect(end.state).toBe(CommandState.CANCELLED);
      expect(end.error).toMatchObject({ reason: ErrorReason.SUPERSEDED, metadata: { superseded_by: 'stop' } });
    }
    expect((await stream.finished('ping')).result?.payload).toBe('x');
    expect(executed.toSorted()).toEqual(['ping', 'stop']);
  });

  test('answers an inquiry by what it knows', async () => {
    platform.acknowledges = false;
    await startAgent({ stopGraceMs: 0 });
    const stream = await platform.stream(0);
    stream.deliver(delivery('a', stopSession));
    await stream.finished('a');
    stream.send({ case: 'inquiry', value: { commandIds: ['a', 'stranger'] } });
    await stream.finished('a', 1);
    await stream.event('stranger', 'notFound');
  });

  test('a kind that it does not have is rejected, and so is one that its own limits forbid', async () => {
    await startAgent({ limits: { kinds: ['ping'] } });
    const stream = await platform.stream(0);
    expect(stream.hello.kinds).toEqual(['ping']);
    stream.deliver(delivery('forbidden', stopSession), delivery('unknown', { case: undefined }));
    expect((await stream.finished('forbidden')).error).toMatchObject({
      reason: ErrorReason.LOCAL_LIMIT,
      metadata: { limit: 'kinds' },
    });
    expect((await stream.finished('unknown')).error?.reason).toBe(ErrorReason.KIND_UNSUPPORTED);
  });

  test('a position above the local limits is refused whatever reference price comes with it', async () => {
    await startAgent({ limits: { maxNotional: '100', symbols: ['BTC'], maxOpenPositions: 1 } });
    const stream = await platform.stream(0);
    const limitOf = async (id: string) => (await stream.finished(id)).error?.metadata['limit'];
    stream.deliver(delivery('size', opening('BTC', '3', '50')), delivery('symbol', opening('ETH', '1', '1')));
    expect(await limitOf('size')).toBe('max_notional');
    expect(await limitOf('symbol')).toBe('symbols');
    stream.deliver(delivery('priceless', opening('BTC', '1', '')));
    expect(await limitOf('priceless')).toBe('max_notional');
    stream.deliver(
      delivery('one', opening('BTC', '1', '50'), { orderingKey: '/a' }),
      delivery(
        'two',
        {
          case: 'openPosition',
          value: { symbol: 'BTC', strategyId: 'x', quantity: '1', referencePrice: '50', side: Side.BUY },
        },
        { orderingKey: '/b' },
      ),
    );
    const ends = await Promise.all(['one', 'two'].map((id) => stream.finished(id)));
    expect(ends.map((end) => end.error?.metadata['limit'] ?? end.state)).toEqual([
      CommandState.SUCCEEDED,
      'max_open_positions',
    ]);
  });

  test('a precondition that does not hold rejects the command right before its start', async () => {
    await startAgent();
    const stream = await platform.stream(0);
    stream.deliver(
      delivery(
        'start',
        { case: 'startSession', value: { sessionId: 's' } },
        { preconditions: { sessionState: Preconditions_SessionState.ABSENT } },
      ),
      delivery(
        'again',
        { case: 'startSession', value: { sessionId: 's' } },
        { preconditions: { sessionState: Preconditions_SessionState.ABSENT } },
      ),
      delivery(
        'price',
        {
          case: 'openPosition',
          value: { sessionId: 's', symbol: 'BTC', quantity: '1', referencePrice: '10', side: Side.BUY },
        },
        { preconditions: { priceBand: { maxPrice: '9' } } },
      ),
    );
    expect((await stream.finished('start')).state).toBe(CommandState.SUCCEEDED);
    expect((await stream.finished('again')).error).toMatchObject({
      reason: ErrorReason.PRECONDITION_FAILED,
      metadata: { precondition: 'session_state' },
    });
    expect((await stream.finished('price')).error?.metadata).toEqual({ precondition: 'price_band' });
  });

  test('goes on with 10 000 commands that were queued, none lost, none twice', async () => {
    const { adapter, executed } = gatedAdapter();
    await startAgent({ adapter, inFlightMax: 10_000 });
    const stream = await platform.stream(0);
    const count = 10_000;
    const ids = [...Array(count).keys()].map((n) => `c${n}`);
    for (let from = 0; from < count; from += 500) {
      const batch = ids.slice(from, from + 500);
      stream.deliver(...batch.map((id) => delivery(id, stopSession, { orderingKey: `/s${id}` })));
    }
    await stream.until(
      ({ events }) => events.filter((event) => event.event.case === 'finished').length >= count || undefined,
    );
    expect(executed).toHaveLength(count);
    expect(new Set(executed).size).toBe(count);
  });

  test('what it was executing when it was killed is asked of the adapter at the next start', async () => {
    const { adapter, gates, executed } = gatedAdapter();
    gates.after = never();
    const executor = await startAgent({ adapter, stopGraceMs: 0 });
    const stream = await platform.stream(0);
    stream.deliver(delivery('a', { case: 'startSession', value: { sessionId: 's' } }));
    await stream.event('a', 'started');
    stream.deliver(delivery('b', stopSession));
    await stream.event('b', 'received');
    await expect.poll(() => executed).toEqual(['a']);
    await expect.poll(async () => (await adapter.status()).sessions).toHaveLength(1);
    await executor.stop();
    const next = gatedAdapter();
    await startAgent({ adapter: next.adapter });
    const again = await platform.stream(1);
    expect(again.hello.journal.map((entry) => [entry.commandId, entry.state])).toEqual([
      ['a', CommandState.RUNNING],
      ['b', CommandState.RECEIVED],
    ]);
    expect((await again.finished('a')).result?.summary).toBe('session s is open');
    expect((await again.finished('b')).result?.summary).toBe('session s is closed');
    expect(next.executed).toEqual(['b']);
  });

  test('the journal of another executor is refused, and nothing in it is carried out', async () => {
    const whose = (executorId: string, executorName: string) => ({
      credentials: { ...platform.credentials(), executorId, executorName },
    });
    const { adapter, gates } = gatedAdapter();
    gates.after = never();
    const executor = await startAgent({ ...whose('id-1', 'vps-1'), adapter, stopGraceMs: 0 });
    const stream = await platform.stream(0);
    stream.deliver(delivery('a', { case: 'startSession', value: { sessionId: 's' } }));
    await stream.event('a', 'started');
    stream.deliver(delivery('b', stopSession));
    await stream.event('b', 'received');
    await executor.stop();

    const other = gatedAdapter();
    await expect(startAgent({ ...whose('id-2', 'vps-2'), adapter: other.adapter })).rejects.toThrow(
      /is that of executor vps-1 \(id-1\), and the credentials are those of vps-2 \(id-2\)/,
    );
    const again = gatedAdapter();
    await startAgent({ ...whose('id-1', 'vps-1'), adapter: again.adapter });
    await (await platform.stream(1)).finished('b');
    expect([other.executed, again.executed.includes('b')]).toEqual([[], true]);
  });
});
