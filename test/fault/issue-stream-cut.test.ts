import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import type { IssueCommandStreamRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { startStack, type TestStack } from '../harness/stack.ts';

/** A second's work and more: the replica falls amid them, also where the test runs late. */
const REQUESTS = 6_000;
const ANSWERED_BEFORE = 200;

type Commands = ReturnType<TestStack['replicaCommandClient']>;

/**
 * Issues pings over one stream by their request ids; gives the ids of the commands that were answered, and how it ended. With
 * `onAnswer` the stream is held open for more.
 */
async function issueAll(
  commands: Commands,
  requestIds: readonly string[],
  onAnswer?: (answered: number) => void,
): Promise<{ readonly answered: ReadonlyMap<string, string>; readonly end: Code | undefined }> {
  const requests = new AsyncQueue<MessageInitShape<typeof IssueCommandStreamRequestSchema>>({
    itemsMax: requestIds.length,
  });
  for (const requestId of requestIds) {
    requests.push({ requests: [{ executor: 'x', requestId, kind: { case: 'ping' as const, value: {} } }] });
  }
  if (onAnswer === undefined) requests.end();
  const answered = new Map<string, string>();
  try {
    for await (const { outcomes } of commands.issueCommandStream(requests)) {
      const [outcome] = outcomes;
      if (outcome?.outcome.case !== 'issued') throw new Error(`not issued: ${outcome?.outcome.value?.message}`);
      const { requestId = '', id = '' } = outcome.outcome.value.command ?? {};
      answered.set(requestId, id);
      onAnswer?.(answered.size);
    }
    return { answered, end: undefined };
  } catch (thrown) {
    if (thrown instanceof ConnectError) return { answered, end: thrown.code };
    throw thrown;
  }
}

test.each([
  ['is killed', (stack: TestStack) => stack.killReplica(0)],
  ['stops', (stack: TestStack) => stack.stopReplica(0)],
])('a replica that %s amid a stream: what was answered is stored, and the rest can be issued once', async (_, fell) => {
  await using stack = await startStack({ commandReplicas: 2, gateway: false });
  await stack.replicaExecutorClient(0).createExecutor({ name: 'x' });
  const requestIds = Array.from({ length: REQUESTS }, (_one, i) => `request-${i}`);
  let fallen: Promise<void> | undefined;
  const first = await issueAll(stack.replicaCommandClient(0), requestIds, (answered) => {
    if (answered === ANSWERED_BEFORE) fallen = fell(stack);
  });
  await fallen;
  expect(first.end).toBe(Code.Unavailable);
  expect(first.answered.size).toBeGreaterThanOrEqual(ANSWERED_BEFORE);
  expect(first.answered.size).toBeLessThan(REQUESTS);
  // In order: what was answered is the beginning.
  expect([...first.answered.keys()]).toEqual(requestIds.slice(0, first.answered.size));

  const again = await issueAll(stack.replicaCommandClient(1), requestIds);
  expect(again.end).toBeUndefined();
  expect([...again.answered.keys()]).toEqual(requestIds);
  for (const [requestId, id] of first.answered) expect(again.answered.get(requestId)).toBe(id);
  const stats = await stack.replicaCommandClient(1).getCommandStats({});
  expect(Number(stats.count)).toBe(REQUESTS);
});
