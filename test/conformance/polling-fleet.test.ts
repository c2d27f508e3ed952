import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { concurrently } from '../fault/concurrently.ts';
import { startReadyStack } from './ready-stack.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';

/** More than one connection of the executor port would take of streams. */
const AGENTS = 60;
const WAIT_SECONDS = 12n;
const ANSWER_MS_MAX = 4_000;

test('polls of many agents that wait do not hold up the poll of another', async () => {
  await using stack = await startReadyStack();
  const transport = createConnectTransport({ baseUrl: stack.gatewayUrl, httpVersion: '1.1' });
  const client = createClient(ExecutorLinkService, transport);
  const poll = async (agent: Credentials, streamEpoch: bigint, signal: AbortSignal): Promise<bigint> => {
    const hello = { journalId: agent.keyId, contractDigest: OWN_DIGEST, kinds: ['ping'], inFlightMax: 10 };
    const headers = { authorization: `Bearer ${agent.keyId}.${agent.secret}` };
    const wait = { seconds: streamEpoch === 0n ? 0n : WAIT_SECONDS, nanos: 0 };
    const { frames } = await client.pollCommands({ hello, streamEpoch, wait }, { headers, signal });
    const welcome = frames.find(({ frame }) => frame.case === 'welcome')?.frame;
    return welcome?.case === 'welcome' ? welcome.value.streamEpoch : 0n;
  };
  const names = Array.from({ length: AGENTS }, (_, at) => `poller-${at}`);
  const agents = await concurrently(names, 10, (name) => stack.createExecutor(name));
  const epochs = await concurrently(agents, 10, (agent) => poll(agent, 0n, AbortSignal.timeout(ANSWER_MS_MAX)));
  const leave = new AbortController();
  const waiting = Promise.allSettled(agents.map((agent, at) => poll(agent, epochs[at] ?? 0n, leave.signal)));
  const last = await stack.createExecutor('the-last');
  try {
    expect(await poll(last, 0n, AbortSignal.timeout(ANSWER_MS_MAX))).toBe(1n);
  } finally {
    leave.abort();
  }
  // They waited: not one was answered meanwhile.
  expect((await waiting).filter(({ status }) => status === 'fulfilled')).toEqual([]);
});
