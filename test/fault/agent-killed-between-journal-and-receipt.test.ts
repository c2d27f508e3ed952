import { expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { readJournal } from './collect.ts';
import { startProxiedAgent } from './link-proxy.ts';
import { ended, getCommand } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition } from './wishes.ts';

test('an agent that is killed between its journal and the receipt: one effect, one honest result', async () => {
  await using stack = await startStack();
  await using recorder = await Recorder.start(stack);
  await using link = await startProxiedAgent(stack, 'unheard', { control: { hold: 'before' } });
  const agent = recorder.follow(link.agent);
  const client = await stack.commandClient();

  // Nothing that the agent says arrives any more; what it is sent still does.
  link.proxy.blackhole('up');
  const command = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
  await until(
    () => readJournal(agent.journal).some((entry) => entry.commandId === command.id),
    'the command is in the journal',
  );
  await agent.kill();
  expect(CommandState[(await getCommand(client, command.id)).state]).toBe('SENT');

  agent.control({});
  link.proxy.heal();
  await agent.start();
  const done = await ended(client, command.id);
  expect(CommandState[done.state]).toBe('SUCCEEDED');
  expect(done.receivedTime).toBeDefined();
  expect(agent.acts('effect').map((act) => act.commandId)).toEqual([command.id]);
  expect(await recorder.verdict()).toBe('');
});
