import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { type ProxiedAgent, startProxiedAgent } from './link-proxy.ts';
import { ended, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { openPosition, ping } from './wishes.ts';

/** How long an entry may still be started, and how much later it reaches its agent. */
const FRESH_MS = 600;
const LATE_MS = 1_200;

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack[Symbol.asyncDispose]());

interface Delay {
  readonly begin: (link: ProxiedAgent) => void;
  readonly end: (link: ProxiedAgent) => void;
}

const DELAYS: readonly (readonly [string, Delay])[] = [
  ['a frozen agent', { begin: ({ agent }) => agent.pause(), end: ({ agent }) => agent.resume() }],
  ['a slow network', { begin: ({ proxy }) => proxy.delay(FRESH_MS + LATE_MS), end: () => undefined }],
];

describe.concurrent('an entry that is stale when it reaches its agent does not start', () => {
  test.each(DELAYS)('%s', async (name, delay) => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    await using link = await startProxiedAgent(stack, name.replaceAll(' ', '-'));
    const agent = recorder.follow(link.agent);
    const client = await stack.commandClient();
    expect(CommandState[(await ended(client, (await recorder.issue(agent, ping())).id)).state]).toBe('SUCCEEDED');

    delay.begin(link);
    const notAfterMs = Date.now() + FRESH_MS;
    const entry = await recorder.issue(agent, {
      ...openPosition('s', 'x', 'BTC'),
      notAfter: timestampFromMs(notAfterMs),
    });
    await reached(client, entry.id, [CommandState.SENT]);
    await until(() => Date.now() >= notAfterMs + LATE_MS, 'the entry is stale');
    delay.end(link);
    await recorder.issue(agent, ping());
    await ended(client, entry.id);
    expect(await recorder.verdict()).toBe('');
    expect(agent.acts('start').map((act) => act.commandId)).not.toContain(entry.id);
  });
});
