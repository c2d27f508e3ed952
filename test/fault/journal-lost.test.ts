import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { ended, getCommand, getExecutor, online, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition, ping } from './wishes.ts';

test('an agent comes back without its journal: what it had been given is unknown until an operator has looked, what it had not is executed', async () => {
  await using stack = await startStack();
  await using recorder = await Recorder.start(stack);
  const credentials = await stack.createExecutor('forgetful');
  const env = { STRATEGOS_CONCURRENCY_MAX: '1' };
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials, env, control: { hold: 'after' } }));
  const { journalId } = await online(stack, 'forgetful');
  const client = await stack.commandClient();
  const started = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
  await agent.seen('effect', started.id);
  const received = await recorder.issue(agent, ping('in the journal'));
  await reached(client, received.id, [CommandState.RECEIVED]);
  const waiting = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));

  await agent.kill();
  await rm(agent.journal, { recursive: true });
  agent.control({});
  await agent.start();
  expect(CommandState[(await ended(client, waiting.id)).state]).toBe('SUCCEEDED');
  // Asked again on its next stream, the new journal still cannot say that they were never there.
  await agent.restart();
  expect(CommandState[(await ended(client, (await recorder.issue(agent, ping())).id)).state]).toBe('SUCCEEDED');
  for (const { id } of [started, received]) {
    const { state, error } = await getCommand(client, id);
    expect(CommandState[state]).toBe('OUTCOME_UNKNOWN');
    expect(error?.reason).toBe(ErrorReason.JOURNAL_LOST);
  }
  // Nobody but an operator can know: the one was seen at the venue, the other was not.
  await recorder.settle(started.id, SettledOutcome.HAPPENED, 'the position is gone from the list of the venue');
  await recorder.settle(received.id, SettledOutcome.DID_NOT_HAPPEN, 'a ping leaves nothing at the venue');
  const unknown = await client.listCommands({ filter: { states: [CommandState.OUTCOME_UNKNOWN] } });
  expect(unknown.commands).toEqual([]);
  // Not even an agent that is asked anew has anything to say about them.
  await agent.restart();
  expect(CommandState[(await ended(client, (await recorder.issue(agent, ping())).id)).state]).toBe('SUCCEEDED');
  const known = await Promise.all([started, received].map(({ id }) => getCommand(client, id)));
  expect(known.map(({ state, settledBy }) => `${CommandState[state]} by ${settledBy}`)).toEqual([
    'SUCCEEDED by founder',
    'FAILED by founder',
  ]);
  expect((await getExecutor(stack, 'forgetful')).journalId).not.toBe(journalId);
  expect(
    agent
      .acts('effect')
      .slice(0, 2)
      .map((act) => act.commandId),
  ).toEqual([started.id, waiting.id]);
  expect(await recorder.verdict()).toBe('');
});
