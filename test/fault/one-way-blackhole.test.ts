import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { startStack, type TestStack } from '../harness/stack.ts';
import { logLines, noticedByAgent } from './agent-log.ts';
import { startProxiedAgent } from './link-proxy.ts';
import { ended, getCommand, offline, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition } from './wishes.ts';

/** Silence is called after 20 s; the rest is room for the look and for a busy machine. */
const NOTICED_WITHIN_MS = 30_000;

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack[Symbol.asyncDispose]());

describe.concurrent('a network that swallows one direction', () => {
  test.each(['down', 'up'] as const)(
    '%s: both ends notice, the command is sent again and takes effect once',
    async (direction) => {
      await using recorder = await Recorder.start(stack, { watches: 0 });
      await using link = await startProxiedAgent(stack, `hole-${direction}`);
      const { proxy } = link;
      const agent = recorder.follow(link.agent);
      const client = await stack.commandClient();
      const endsBefore = logLines(agent, 'stream ended').length;

      proxy.blackhole(direction);
      const beganMs = performance.now();
      const command = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
      await reached(client, command.id, [CommandState.SENT]);
      if (direction === 'up') await agent.seen('effect', command.id);
      const noticed = await Promise.all([
        offline(stack, agent.agent, NOTICED_WITHIN_MS).then(() => performance.now() - beganMs),
        noticedByAgent(agent, endsBefore, NOTICED_WITHIN_MS).then(() => performance.now() - beganMs),
      ]);
      expect(Math.max(...noticed)).toBeLessThan(NOTICED_WITHIN_MS);
      expect(CommandState[(await getCommand(client, command.id)).state]).toBe('SENT');

      proxy.heal();
      const done = await ended(client, command.id, NOTICED_WITHIN_MS);
      expect(CommandState[done.state]).toBe('SUCCEEDED');
      expect(done.attempt).toBeGreaterThan(1);
      expect(agent.acts('effect')).toHaveLength(1);
      expect(await recorder.verdict()).toBe('');
    },
  );
});
