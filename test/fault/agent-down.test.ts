import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { ended, getExecutor, ms } from './observe.ts';
import { Recorder, type Wish } from './recorder.ts';
import { closePosition, ping, stopSession } from './wishes.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack[Symbol.asyncDispose]());

/** An agent that was never started, or is stopped again when it has been. */
async function agentThatIsDown(name: string, usedBefore: boolean): Promise<RecordingAgent> {
  const agent = await startRecordingAgent(stack, { credentials: await stack.createExecutor(name), started: false });
  if (usedBefore) {
    await agent.start();
    await until(async () => (await getExecutor(stack, name)).connectTime !== undefined, `${name} has connected`);
    await agent.stop();
  }
  return agent;
}

/** The slowest finish of these commands, in milliseconds after the agent's Hello was accepted. */
async function finishedAfterHelloMs(executor: string, commandIds: readonly string[]): Promise<number> {
  const client = await stack.commandClient();
  const commands = await Promise.all(commandIds.map((id) => ended(client, id)));
  expect(commands.map((command) => CommandState[command.state])).toEqual(commands.map(() => 'SUCCEEDED'));
  const { connectTime } = await getExecutor(stack, executor);
  return Math.max(...commands.map((command) => ms(command.finishTime))) - ms(connectTime);
}

describe('commands for an agent that is down', () => {
  test('one StopSession is finished within a second of the Hello', async () => {
    const agent = await agentThatIsDown('one', true);
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const command = await recorder.issue(recorder.follow(agent), stopSession('s1'));
    expect(command.state).toBe(CommandState.PENDING);
    await agent.start();
    expect(await finishedAfterHelloMs('one', [command.id])).toBeLessThan(1_000);
    expect(await recorder.verdict()).toBe('');
  });

  test('so are 37, for an agent that has never been seen before', async () => {
    const agent = await agentThatIsDown('thirty-seven', false);
    await using recorder = await Recorder.start(stack, { watches: 0 });
    recorder.follow(agent);
    const wishes = Array.from({ length: 37 }, (_, n) => stopSession(`s${n}`));
    const commands = await Promise.all(wishes.map((wish) => recorder.issue(agent, wish)));
    await agent.start();
    const ids = commands.map((command) => command.id);
    expect(await finishedAfterHelloMs('thirty-seven', ids)).toBeLessThan(1_000);
    expect(await recorder.verdict()).toBe('');
  });

  test('10 000 are all executed, each once', async () => {
    const agent = await agentThatIsDown('ten-thousand', true);
    await using recorder = await Recorder.start(stack, { watches: 0 });
    recorder.follow(agent);
    const commands = await recorder.issueMany(
      agent,
      Array.from({ length: 10_000 }, (_, n) => mixed(n)),
    );
    await agent.start();
    await idle('ten-thousand');
    const effects = agent.acts('effect');
    expect(effects.map((effect) => effect.commandId).toSorted()).toEqual(commands.map(({ id }) => id).toSorted());
    expect(await recorder.verdict()).toBe('');
    const slowestMs = await slowestFinishMs('ten-thousand');
    const rate = Math.round(commands.length / (slowestMs / 1_000));
    process.stdout.write(`10 000 queued commands finished ${slowestMs} ms after the Hello: ${rate} a second\n`);
  });
});

/** Waits until the executor has taken up and finished everything. */
async function idle(executor: string): Promise<void> {
  await until(
    async () => {
      const { connectTime, queued, inFlight } = await getExecutor(stack, executor);
      return connectTime !== undefined && queued === 0 && inFlight === 0;
    },
    `${executor} has nothing left to do`,
    60_000,
  );
}

/** Sessions with exits and stops of their own, and pings between them. */
function mixed(n: number): Wish {
  if (n % 10 === 0) return ping(`ping ${n}`);
  const session = `s${n % 97}`;
  return n % 10 === 1 ? stopSession(session) : closePosition(session, `x${n % 5}`, 'BTC');
}

async function slowestFinishMs(executor: string): Promise<number> {
  const client = await stack.commandClient();
  const { connectTime } = await getExecutor(stack, executor);
  let slowestMs = 0;
  for (let pageToken = ''; ; ) {
    const page = await client.listCommands({ filter: { executor }, pageSize: 1_000, pageToken });
    for (const command of page.commands) slowestMs = Math.max(slowestMs, ms(command.finishTime) - ms(connectTime));
    pageToken = page.nextPageToken;
    if (pageToken === '') return slowestMs;
  }
}
