import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import type { CommandClient } from '../harness/clients.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { type ProxiedAgent, startProxiedAgent } from './link-proxy.ts';
import { ended, getCommand, ms, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition, deadlines, openPosition, ping, stopSession } from './wishes.ts';

let stack: TestStack;
let client: CommandClient;

beforeAll(async () => {
  stack = await startStack();
  client = await stack.commandClient();
});

afterAll(() => stack[Symbol.asyncDispose]());

interface Scene extends AsyncDisposable {
  readonly recorder: Recorder;
  readonly link: ProxiedAgent;
}

async function aScene(name: string, options: Parameters<typeof startProxiedAgent>[2] = {}): Promise<Scene> {
  const recorder = await Recorder.start(stack, { watches: 0 });
  const link = await startProxiedAgent(stack, name, options);
  recorder.follow(link.agent);
  const dispose = async (): Promise<void> => {
    await recorder[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
  };
  return { recorder, link, [Symbol.asyncDispose]: dispose };
}

/** State, reason and hop of a command's end in one line. */
function endOf({ state, error }: Command): string {
  return `${CommandState[state]} ${ErrorReason[error?.reason ?? 0]} ${error?.hop ?? ''}`;
}

/** Waits until a late answer has settled an unknown outcome. */
function settled(id: string): Promise<Command> {
  return until(async () => {
    const command = await getCommand(client, id);
    return command.settleTime !== undefined && command;
  }, `command ${id} is settled`);
}

describe.concurrent('deliver_by', () => {
  test('nobody took it: EXPIRED, and an agent that comes later never sees it', async () => {
    await using scene = await aScene('deliver', { started: false });
    const { recorder, link } = scene;
    const command = await recorder.issue(link.agent, { ...stopSession('s'), ...deadlines({ deliverMs: 300 }) });
    const done = await ended(client, command.id);
    expect(endOf(done)).toBe('EXPIRED DELIVER_DEADLINE stream');
    expect(ms(done.finishTime)).toBeGreaterThanOrEqual(ms(done.deadlines?.deliverBy));
    await link.agent.start();
    await ended(client, (await recorder.issue(link.agent, ping())).id);
    expect(await recorder.verdict()).toBe('');
  });

  test('not_after passed before anybody took it: EXPIRED', async () => {
    await using scene = await aScene('not-after', { started: false });
    // It must lie ahead when the call comes, also on a machine that is busy: 300 ms did not always.
    const notAfter = timestampFromMs(Date.now() + 3_000);
    const command = await scene.recorder.issue(scene.link.agent, { ...openPosition('s', 'x', 'BTC'), notAfter });
    expect(endOf(await ended(client, command.id))).toBe('EXPIRED NOT_AFTER stream');
    expect(await scene.recorder.verdict()).toBe('');
  });
});

describe.concurrent('receive_by', () => {
  test('written as often as allowed and never acknowledged: OUTCOME_UNKNOWN, settled when the agent can be asked', async () => {
    await using scene = await aScene('receive');
    const { recorder, link } = scene;
    link.proxy.blackhole('down');
    const command = await recorder.issue(link.agent, { ...stopSession('s'), ...deadlines({ receiveMs: 200 }) });
    const done = await ended(client, command.id);
    expect(endOf(done)).toBe('OUTCOME_UNKNOWN RECEIVE_DEADLINE stream');
    expect(done.attempt).toBe(done.attemptsMax);
    link.proxy.heal();
    expect(endOf(await settled(command.id))).toBe('EXPIRED NEVER_RECEIVED stream');
    expect(await recorder.verdict()).toBe('');
  });
});

describe.concurrent('start_by', () => {
  test('the agent holds it and does not get round to it: EXPIRED, by its own word', async () => {
    const env = { STRATEGOS_CONCURRENCY_MAX: '1' };
    await using scene = await aScene('start', { env, control: { hold: 'before', kinds: ['closePosition'] } });
    const { recorder, link } = scene;
    const busy = await recorder.issue(link.agent, closePosition('s', 'x', 'BTC'));
    await link.agent.seen('start', busy.id);
    const command = await recorder.issue(link.agent, { ...ping(), ...deadlines({ startMs: 300 }) });
    expect(endOf(await ended(client, command.id))).toBe('EXPIRED START_DEADLINE agent');
    link.agent.control({});
    expect(CommandState[(await ended(client, busy.id)).state]).toBe('SUCCEEDED');
    expect(await recorder.verdict()).toBe('');
  });

  test('the agent holds it and says nothing: OUTCOME_UNKNOWN, settled by what it says later', async () => {
    const env = { STRATEGOS_CONCURRENCY_MAX: '1' };
    await using scene = await aScene('start-silent', { env, control: { hold: 'before', kinds: ['closePosition'] } });
    const { recorder, link } = scene;
    const busy = await recorder.issue(link.agent, closePosition('s', 'x', 'BTC'));
    await link.agent.seen('start', busy.id);
    const command = await recorder.issue(link.agent, { ...ping(), ...deadlines({ startMs: 3_000 }) });
    await reached(client, command.id, [CommandState.RECEIVED]);
    link.agent.pause();
    expect(endOf(await ended(client, command.id))).toBe('OUTCOME_UNKNOWN START_DEADLINE agent');
    link.agent.control({});
    link.agent.resume();
    expect(endOf(await settled(command.id))).toBe('EXPIRED START_DEADLINE agent');
    expect(await recorder.verdict()).toBe('');
  });
});

describe.concurrent('progress_by', () => {
  test('a command that reports progress went silent: OUTCOME_UNKNOWN, settled by its late result', async () => {
    await using scene = await aScene('progress', { control: { hold: 'after' } });
    const { recorder, link } = scene;
    const command = await recorder.issue(link.agent, { ...stopSession('s'), ...deadlines({ progressMs: 300 }) });
    expect(endOf(await ended(client, command.id))).toBe('OUTCOME_UNKNOWN PROGRESS_DEADLINE agent');
    link.agent.control({});
    expect(CommandState[(await settled(command.id)).state]).toBe('SUCCEEDED');
    expect(await recorder.verdict()).toBe('');
  });

  test('one that keeps reporting goes on', async () => {
    await using scene = await aScene('progressing', { control: { hold: 'after', progressMs: 100 } });
    const { recorder, link } = scene;
    const command = await recorder.issue(link.agent, { ...stopSession('s'), ...deadlines({ progressMs: 500 }) });
    const running = await until(async () => {
      const seen = await getCommand(client, command.id);
      // Longer than its progress deadline with the agent's grace.
      return seen.progressTime !== undefined && ms(seen.progressTime) - ms(seen.startTime) > 3_000 && seen;
    }, 'progress for three seconds');
    expect(running).toMatchObject({
      state: CommandState.RUNNING,
      progress: { message: 'held by the test', percent: 50 },
    });
    link.agent.control({});
    expect(CommandState[(await ended(client, command.id)).state]).toBe('SUCCEEDED');
    expect(await recorder.verdict()).toBe('');
  });
});

describe.concurrent('finish_by', () => {
  test('an adapter that stops in time when told to: FAILED, and nothing took effect', async () => {
    await using scene = await aScene('finish', { control: { hold: 'before' } });
    const { recorder, link } = scene;
    const command = await recorder.issue(link.agent, {
      ...closePosition('s', 'x', 'BTC'),
      ...deadlines({ finishMs: 300 }),
    });
    expect(endOf(await ended(client, command.id))).toBe('FAILED FINISH_DEADLINE venue');
    expect(await recorder.verdict()).toBe('');
  });

  test('an adapter that does not stop: OUTCOME_UNKNOWN, settled by its late result', async () => {
    await using scene = await aScene('finish-late', { control: { hold: 'after' } });
    const { recorder, link } = scene;
    const command = await recorder.issue(link.agent, {
      ...closePosition('s', 'x', 'BTC'),
      ...deadlines({ finishMs: 300 }),
    });
    expect(endOf(await ended(client, command.id))).toBe('OUTCOME_UNKNOWN FINISH_DEADLINE venue');
    link.agent.control({});
    expect(CommandState[(await settled(command.id)).state]).toBe('SUCCEEDED');
    expect(await recorder.verdict()).toBe('');
  });

  test('an agent that says nothing: OUTCOME_UNKNOWN, by the platform', async () => {
    await using scene = await aScene('finish-silent', { control: { hold: 'before' } });
    const { recorder, link } = scene;
    const command = await recorder.issue(link.agent, {
      ...closePosition('s', 'x', 'BTC'),
      ...deadlines({ finishMs: 1_000 }),
    });
    await reached(client, command.id, [CommandState.RUNNING]);
    link.agent.pause();
    expect(endOf(await ended(client, command.id))).toBe('OUTCOME_UNKNOWN FINISH_DEADLINE agent');
    link.agent.resume();
    expect(endOf(await settled(command.id))).toBe('FAILED FINISH_DEADLINE venue');
    expect(await recorder.verdict()).toBe('');
  });
});
