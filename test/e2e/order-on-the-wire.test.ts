import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { Hop } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { ended, getCommand, getExecutor, online, reached } from '../fault/observe.ts';
import { Recorder } from '../fault/recorder.ts';
import {
  closePosition,
  openPosition,
  ping,
  startSession,
  startStrategy,
  stopAll,
  stopSession,
  stopStrategy,
} from '../fault/wishes.ts';
import type { CommandClient } from '../harness/clients.ts';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import type { RecordingControl } from '../harness/recording-control.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

let stack: TestStack;
let client: CommandClient;
let recorder: Recorder;

beforeAll(async () => {
  stack = await startStack();
  client = await stack.commandClient();
  recorder = await Recorder.start(stack);
});

afterAll(async () => {
  await recorder[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

interface AgentWishes {
  readonly control?: RecordingControl;
  readonly started?: boolean;
  readonly inFlightMax?: number;
}

let agents = 0;

/** Its executor is a new one each time, so that a second try of a test has its own. */
async function anAgent(topic: string, { control, started, inFlightMax }: AgentWishes = {}): Promise<RecordingAgent> {
  const name = `${topic}-${++agents}`;
  const credentials = await stack.createExecutor(name);
  const agent = await startRecordingAgent(stack, {
    credentials,
    control: control ?? {},
    started: started ?? true,
    env: { STRATEGOS_IN_FLIGHT_MAX: String(inFlightMax ?? 256) },
  });
  if (started ?? true) await online(stack, name);
  return recorder.follow(agent);
}

function startedIds(agent: RecordingAgent): string[] {
  return agent.acts('start').map((act) => act.commandId);
}

async function allEnded(commands: readonly Command[]): Promise<string[]> {
  const done = await Promise.all(commands.map((command) => ended(client, command.id)));
  return done.map((command) => CommandState[command.state]);
}

describe('order', () => {
  test('instances run side by side; a stop of their session waits for both, and what follows waits for the stop', async () => {
    const agent = await anAgent('order', { control: { hold: 'before' } });
    const btc = await recorder.issue(agent, openPosition('s', 'x', 'BTC'));
    const eth = await recorder.issue(agent, openPosition('s', 'x', 'ETH'));
    const stop = await recorder.issue(agent, stopSession('s'));
    const later = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
    const elsewhere = await recorder.issue(agent, closePosition('t', 'x', 'BTC'));
    await Promise.all([btc, eth, elsewhere].map(({ id }) => agent.seen('start', id)));
    const waiting = await client.explainCommand({ id: stop.id });
    expect(waiting.hop).toBe(Hop.ORDERING_KEY);
    expect(waiting.blockingCommandIds).toEqual([btc.id, eth.id]);
    expect((await client.explainCommand({ id: later.id })).blockingCommandIds).toEqual([btc.id, stop.id]);
    expect(startedIds(agent).toSorted()).toEqual([btc.id, eth.id, elsewhere.id].toSorted());
    agent.control({});
    expect(await allEnded([btc, eth, stop, later, elsewhere])).toEqual(Array(5).fill('SUCCEEDED'));
    expect(startedIds(agent).slice(-2)).toEqual([stop.id, later.id]);
  });

  test('commands issued in one call keep their order, also where the first of them has to wait', async () => {
    const agent = await anAgent('batch', { control: { hold: 'before' } });
    const first = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
    await agent.seen('start', first.id);
    const batch = await recorder.issueMany(agent, [stopSession('s'), closePosition('s', 'x', 'ETH')]);
    const [stop, last] = batch;
    if (stop === undefined || last === undefined) throw new Error('two commands were issued');
    expect(CommandState[(await getCommand(client, last.id)).state]).toBe('PENDING');
    expect((await client.explainCommand({ id: last.id })).blockingCommandIds).toEqual([stop.id]);
    agent.control({});
    expect(await allEnded([first, stop, last])).toEqual(Array(3).fill('SUCCEEDED'));
    expect(startedIds(agent)).toEqual([first.id, stop.id, last.id]);
  });
});

describe('lanes', () => {
  test('exits go before entries of unrelated keys, and never before what is ahead of them on their own', async () => {
    const agent = await anAgent('lanes', { started: false, inFlightMax: 1 });
    const entry = await recorder.issue(agent, openPosition('a', 'x', 'BTC'));
    const ahead = await recorder.issue(agent, openPosition('b', 'x', 'BTC'));
    const behind = await recorder.issue(agent, closePosition('b', 'x', 'BTC'));
    const exit = await recorder.issue(agent, closePosition('c', 'x', 'BTC'));
    await agent.start();
    expect(await allEnded([entry, ahead, behind, exit])).toEqual(Array(4).fill('SUCCEEDED'));
    expect(startedIds(agent)).toEqual([exit, entry, ahead, behind].map(({ id }) => id));
  });

  test('the kill switch overtakes everything and cancels the undelivered entries that it overtakes', async () => {
    const agent = await anAgent('kill-switch', { control: { hold: 'before', kinds: ['closePosition'] } });
    const running = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
    await agent.seen('start', running.id);
    const entry = await recorder.issue(agent, openPosition('s', 'x', 'BTC'));
    const exit = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
    const kill = await recorder.issue(agent, stopAll());
    expect(await allEnded([kill])).toEqual(['SUCCEEDED']);
    const cancelled = await ended(client, entry.id);
    expect(CommandState[cancelled.state]).toBe('CANCELLED');
    expect(cancelled.error).toMatchObject({ reason: ErrorReason.SUPERSEDED, metadata: { superseded_by: kill.id } });
    agent.control({});
    expect(await allEnded([running, exit])).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(startedIds(agent)).toEqual([running.id, kill.id, exit.id]);
  });
});

describe('supersession', () => {
  test('a stop cancels the undelivered starts within its key, and no others', async () => {
    const agent = await anAgent('stops', { started: false });
    const session = await recorder.issue(agent, startSession('s'));
    const x = await recorder.issue(agent, startStrategy('s', 'x', 'BTC'));
    const y = await recorder.issue(agent, startStrategy('s', 'y', 'BTC'));
    const stopX = await recorder.issue(agent, stopStrategy('s', 'x', 'BTC'));
    expect(CommandState[(await getCommand(client, x.id)).state]).toBe('CANCELLED');
    expect(CommandState[(await getCommand(client, y.id)).state]).toBe('PENDING');
    const stop = await recorder.issue(agent, stopSession('s'));
    const again = await recorder.issue(agent, startSession('s'));
    await agent.start();
    expect(await allEnded([session, x, y])).toEqual(Array(3).fill('CANCELLED'));
    expect(await allEnded([stopX, stop, again])).toEqual(Array(3).fill('SUCCEEDED'));
    expect(startedIds(agent)).toEqual([stopX.id, stop.id, again.id]);
  });
});

describe('credits', () => {
  test('no more is in flight than the agent takes, and what waits for that says so', async () => {
    const agent = await anAgent('credits', { control: { hold: 'before' }, inFlightMax: 2 });
    const commands: Command[] = [];
    for (let n = 0; n < 5; n++) commands.push(await recorder.issue(agent, ping(String(n))));
    await until(() => startedIds(agent).length === 2, 'two are running');
    const states = await Promise.all(
      commands.map(async ({ id }) => CommandState[(await getCommand(client, id)).state]),
    );
    expect(states.filter((state) => state === 'PENDING')).toHaveLength(3);
    expect(await getExecutor(stack, commands[0]?.executorName ?? '')).toMatchObject({
      inFlight: 2,
      inFlightMax: 2,
      queued: 3,
    });
    expect((await client.explainCommand({ id: commands[4]?.id ?? '' })).hop).toBe(Hop.CREDIT_LIMIT);
    agent.control({});
    expect(await allEnded(commands)).toEqual(Array(5).fill('SUCCEEDED'));
  });
});

describe('cancellation', () => {
  test('a command that waits is cancelled at once and never starts', async () => {
    const agent = await anAgent('cancel-waiting', { started: false });
    const command = await recorder.issue(agent, stopSession('s'));
    expect(await recorder.cancel(command.id)).toBe(true);
    expect(await recorder.cancel(command.id)).toBe(true);
    await agent.start();
    const probe = await recorder.issue(agent, ping());
    expect(await allEnded([probe, command])).toEqual(['SUCCEEDED', 'CANCELLED']);
    expect(startedIds(agent)).toEqual([probe.id]);
  });

  test('a command that runs is asked to stop, and ends by what its agent says', async () => {
    const agent = await anAgent('cancel-running', { control: { hold: 'before' } });
    const obedient = await recorder.issue(agent, ping('obedient'));
    await reached(client, obedient.id, [CommandState.RUNNING]);
    expect(await recorder.cancel(obedient.id)).toBe(false);
    expect(await allEnded([obedient])).toEqual(['CANCELLED']);
    agent.control({ hold: 'after' });
    const done = await recorder.issue(agent, ping('done already'));
    await agent.seen('effect', done.id);
    await reached(client, done.id, [CommandState.RUNNING]);
    expect(await recorder.cancel(done.id)).toBe(false);
    agent.control({});
    expect(await allEnded([done])).toEqual(['SUCCEEDED']);
  });

  test('cancellations that race with delivery leave each command with one end that is true', async () => {
    const agent = await anAgent('cancel-race', { control: { workMs: 60 }, inFlightMax: 8 });
    const wishes = Array.from({ length: 80 }, (_, n) =>
      n % 3 === 0 ? ping(String(n)) : closePosition('s', `x${n % 7}`, 'BTC'),
    );
    const commands = await recorder.issueMany(agent, wishes);
    const left = commands.filter((_, n) => n % 2 === 0);
    const cancelled = commands.filter((_, n) => n % 2 === 1);
    await Promise.all(cancelled.map(({ id }) => recorder.cancel(id)));
    expect(await allEnded(left)).toEqual(left.map(() => 'SUCCEEDED'));
    const states = new Set(await allEnded(cancelled));
    expect(states).toContain('CANCELLED');
    expect(states.difference(new Set(['CANCELLED', 'SUCCEEDED']))).toEqual(new Set());
  });
});

test('all of it together breaks no invariant', async () => {
  expect(await recorder.verdict()).toBe('');
});
