import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import type { RecordingControl } from '../harness/recording-control.ts';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { ended, online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition, ping } from './wishes.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack[Symbol.asyncDispose]());

interface Killed {
  readonly agent: RecordingAgent;
  readonly command: Command;
  /** Waits on the key of the killed one. */
  readonly behind: Command;
}

/** Kills an agent that is held at `hold` and starts it again with another behaviour. */
async function killedAt(
  recorder: Recorder,
  name: string,
  hold: 'before' | 'after',
  then: RecordingControl,
): Promise<Killed> {
  const credentials = await stack.createExecutor(name);
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials, control: { hold } }));
  await online(stack, name);
  const command = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
  const behind = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
  await agent.seen(hold === 'after' ? 'effect' : 'start', command.id);
  await agent.kill();
  agent.control(then);
  await agent.start();
  return { agent, command, behind };
}

describe('an agent that is killed while it executes', () => {
  test('after the effect and before the result: one effect, and the result says so', async () => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const { agent, command, behind } = await killedAt(recorder, 'after-effect', 'after', {});
    const client = await stack.commandClient();
    expect(CommandState[(await ended(client, command.id)).state]).toBe('SUCCEEDED');
    expect(CommandState[(await ended(client, behind.id)).state]).toBe('SUCCEEDED');
    expect(agent.acts('effect').map((act) => act.commandId)).toEqual([command.id, behind.id]);
    expect(agent.acts('recovered').map((act) => act.status)).toEqual(['succeeded']);
    expect(await recorder.verdict()).toBe('');
  });

  test('before the effect: executed after the restart, once', async () => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const { agent, command, behind } = await killedAt(recorder, 'before-effect', 'before', {});
    const client = await stack.commandClient();
    expect(CommandState[(await ended(client, command.id)).state]).toBe('SUCCEEDED');
    expect(CommandState[(await ended(client, behind.id)).state]).toBe('SUCCEEDED');
    expect(agent.acts('effect').map((act) => act.commandId)).toEqual([command.id, behind.id]);
    expect(await recorder.verdict()).toBe('');
  });

  test('where the venue cannot tell: the outcome is unknown, says why, and nothing is done twice', async () => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const { agent, command } = await killedAt(recorder, 'cannot-tell', 'after', { recover: 'unknown' });
    const client = await stack.commandClient();
    const done = await ended(client, command.id);
    expect(CommandState[done.state]).toBe('OUTCOME_UNKNOWN');
    expect(done.error).toMatchObject({ reason: ErrorReason.EFFECT_UNCERTAIN, hop: 'agent' });
    const probe = await recorder.issue(agent, ping());
    expect(CommandState[(await ended(client, probe.id)).state]).toBe('SUCCEEDED');
    expect(agent.acts('effect').filter((act) => act.commandId === command.id)).toHaveLength(1);
    expect(await recorder.verdict()).toBe('');
  });

  test('with the platform killed at the same moment', async () => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const credentials = await stack.createExecutor('both');
    const agent = recorder.follow(await startRecordingAgent(stack, { credentials, control: { hold: 'after' } }));
    await online(stack, 'both');
    const command = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
    await agent.seen('effect', command.id);
    await Promise.all([agent.kill(), stack.killReplica(0)]);
    agent.control({});
    await Promise.all([agent.start(), stack.replica(0).start()]);
    const client = await stack.commandClient();
    expect(CommandState[(await ended(client, command.id, 30_000)).state]).toBe('SUCCEEDED');
    expect(agent.acts('effect')).toHaveLength(1);
    expect(await recorder.verdict()).toBe('');
  });
});
