import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IssueCommandStreamRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';

type StreamRequest = MessageInitShape<typeof IssueCommandStreamRequestSchema>;
type Commands = ReturnType<TestStack['replicaCommandClient']>;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ gateway: false });
});
afterAll(() => stack[Symbol.asyncDispose]());

async function accountWith(accountId: string, ...names: string[]): Promise<Commands> {
  const caller = { ...FOUNDER, accountId };
  await Promise.all(names.map((name) => stack.replicaExecutorClient(0, caller).createExecutor({ name })));
  return stack.replicaCommandClient(0, caller);
}

const ping = (executor: string, requestId = '') => ({
  executor,
  requestId,
  kind: { case: 'ping' as const, value: {} },
});

/** A stream with everything in it that it will ever have. */
function allOf(...requests: readonly StreamRequest[]): AsyncQueue<StreamRequest> {
  const queue = new AsyncQueue<StreamRequest>({ itemsMax: requests.length });
  for (const request of requests) queue.push(request);
  queue.end();
  return queue;
}

interface Told {
  readonly executorName: string;
  readonly sequence: bigint;
  readonly state: CommandState;
}

/** What each response holds: its commands, or the reasons of refusals. */
async function answersTo(commands: Commands, requests: AsyncIterable<StreamRequest>): Promise<(Told | string)[][]> {
  const answers: (Told | string)[][] = [];
  for await (const { outcomes } of commands.issueCommandStream(requests)) {
    answers.push(
      outcomes.map(({ outcome }) => {
        if (outcome.case !== 'issued') return outcome.value?.message ?? '';
        const { executorName = '', sequence = 0n, state = CommandState.UNSPECIFIED } = outcome.value.command ?? {};
        return { executorName, sequence, state };
      }),
    );
  }
  return answers;
}

test('each request has one response, in order, whatever becomes of its commands', async () => {
  const commands = await accountWith('in-order', 'x', 'y');
  const requests = Array.from({ length: 300 }, (_, i) => ({
    requests: [ping('x'), ping(i % 3 === 0 ? 'nobody' : 'y')],
  }));
  const answers = await answersTo(commands, allOf(...requests));
  expect(answers).toHaveLength(300);
  for (const [i, [first, second]] of answers.entries()) {
    expect(first).toMatchObject({ executorName: 'x', state: CommandState.PENDING });
    if (i % 3 === 0) expect(second).toContain('"nobody"');
    else expect(second).toMatchObject({ executorName: 'y' });
  }
  const ofX = answers.flatMap(([first]) => (typeof first === 'object' ? [first.sequence] : []));
  expect(ofX).toEqual(ofX.toSorted((a, b) => Number(a - b)));
});

test('a request with request_ids that were issued before gets the same commands', async () => {
  const commands = await accountWith('repeated', 'x');
  const request = { requests: [ping('x', 'once')] };
  const [first, second] = await answersTo(commands, allOf(request, request));
  expect(second).toEqual(first);
  expect((await commands.listCommands({})).commands).toHaveLength(1);
});

test('a request that is none ends the stream by its field, behind the responses to those before it', async () => {
  const commands = await accountWith('none', 'x');
  const answered: number[] = [];
  const read = async (): Promise<void> => {
    const requests = allOf({ requests: [ping('x')] }, { requests: [] }, { requests: [ping('x')] });
    for await (const { outcomes } of commands.issueCommandStream(requests)) answered.push(outcomes.length);
  };
  await expect(read()).rejects.toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: expect.stringContaining('requests: must have 1 to 500 entries, has 0'),
  });
  expect(answered).toEqual([1]);
});

test('what is wrong in a command is its own outcome, by the name of its field', async () => {
  const commands = await accountWith('field', 'x');
  const wrong = { executor: 'x', kind: { case: 'openPosition' as const, value: { quantity: '-1' } } };
  const [answer] = await answersTo(commands, allOf({ requests: [wrong, ping('x')] }));
  expect(answer?.[0]).toContain('open_position.quantity');
  expect(answer?.[1]).toMatchObject({ executorName: 'x' });
});

test('brief answers have the id, executor, sequence and state alone', async () => {
  const commands = await accountWith('brief', 'x');
  const [answer] = await answersTo(commands, allOf({ requests: [ping('x')], brief: true }));
  expect(answer).toEqual([{ executorName: '', sequence: expect.any(BigInt), state: CommandState.PENDING }]);
});

test('a stream of one account reaches no executor of another', async () => {
  await accountWith('theirs', 'x');
  const caller = { ...FOUNDER, accountId: 'theirs' };
  const { executor } = await stack.replicaExecutorClient(0, caller).getExecutor({ executor: 'x' });
  const ours = await accountWith('ours');
  const [answer] = await answersTo(ours, allOf({ requests: [ping('x'), ping(executor?.id ?? 'none')] }));
  expect(answer).toEqual([expect.stringContaining('no executor'), expect.stringContaining('no executor')]);
});
