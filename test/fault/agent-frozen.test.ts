import { expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { logLines, noticedByAgent } from './agent-log.ts';
import { ended, offline, online, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition } from './wishes.ts';

const NOTICED_WITHIN_MS = 30_000;

test('an agent that is frozen is noticed, and thawed it executes what was sent to it once', async () => {
  await using stack = await startStack();
  await using recorder = await Recorder.start(stack);
  const agent = recorder.follow(
    await startRecordingAgent(stack, { credentials: await stack.createExecutor('frozen') }),
  );
  const { streamEpoch } = await online(stack, 'frozen');
  const client = await stack.commandClient();
  const endsBefore = logLines(agent, 'stream ended').length;

  agent.pause();
  const beganMs = performance.now();
  const command = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
  await reached(client, command.id, [CommandState.SENT]);
  const { disconnectReason } = await offline(stack, 'frozen', NOTICED_WITHIN_MS);
  expect(performance.now() - beganMs).toBeLessThan(NOTICED_WITHIN_MS);
  // The connection's own keepalive or the silence within the stream, whichever is first.
  expect(disconnectReason).toMatch(/silent|gone/);

  agent.resume();
  await noticedByAgent(agent, endsBefore, NOTICED_WITHIN_MS);
  await online(stack, 'frozen', { afterEpoch: streamEpoch });
  const done = await ended(client, command.id, NOTICED_WITHIN_MS);
  expect(CommandState[done.state]).toBe('SUCCEEDED');
  expect(done.attempt).toBeGreaterThan(1);
  expect(agent.acts('effect')).toHaveLength(1);
  expect(await recorder.verdict()).toBe('');
});
