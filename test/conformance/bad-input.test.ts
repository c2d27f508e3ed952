import type { DescMethod } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { Stack } from '../../services/platform/lifecycle.ts';
import type { TestStack } from '../harness/stack.ts';
import { closePosition } from '../fault/wishes.ts';
import { faultsOf, soundRequests } from './faults-of.ts';
import { Interrogation } from './interrogation.ts';
import { startReadyStack } from './ready-stack.ts';
import { nameOf, OPERATOR_RPCS } from './rpc-list.ts';
import type { SampleOf } from './sample-request.ts';
import { type SampleWorld, sampleOf } from './samples.ts';
import { StoredStateReader } from './stored-state.ts';
import { Tolerances } from './tolerated.ts';

const ended = new Stack();
const tolerances = new Tolerances('operators');
let stored: StoredStateReader;
let gateway: Interrogation;
let sample: SampleOf;

beforeAll(async () => {
  const stack = ended.use(await startReadyStack(), (started) => started[Symbol.asyncDispose]());
  stored = ended.use(await StoredStateReader.open(stack.databaseUrl), (reader) => reader[Symbol.asyncDispose]());
  const target = { url: stack.gatewayUrl, bearer: await stack.token() };
  gateway = ended.use(new Interrogation(target, ['Connect JSON', 'gRPC', 'gRPC-Web']), (made) =>
    made[Symbol.dispose](),
  );
  sample = sampleOf(await populate(stack));
});
afterAll(() => ended.stop());

/** Something for every request to speak of. The executors are offline, so their commands stay as they are. */
async function populate(stack: TestStack): Promise<SampleWorld> {
  const executors = await stack.executorClient();
  const commands = await stack.commandClient();
  await executors.createExecutor({ name: 'vps-1' });
  await executors.createExecutor({ name: 'spare' });
  await (await stack.accessClient()).createToken({ name: 'spent', role: Role.VIEWER });
  const issue = async (): Promise<string> => {
    const { command } = await commands.issueCommand({ executor: 'vps-1', kind: { case: 'pause', value: {} } });
    return command?.id ?? '';
  };
  const endedCommandId = await issue();
  await commands.cancelCommand({ id: endedCommandId });
  const { command: unknown } = await commands.issueCommand({
    executor: 'vps-1',
    ...closePosition('s', 'x', 'BTC_USDT'),
  });
  const unknownCommandId = unknown?.id ?? '';
  await stored.change(
    `UPDATE command.command SET state = 'OUTCOME_UNKNOWN', unsettled = true, due_time = 'infinity', finish_time = now()
     WHERE id = $1`,
    [unknownCommandId],
  );
  return {
    executor: 'vps-1',
    spareExecutor: 'spare',
    openCommandId: await issue(),
    cancellableCommandId: await issue(),
    endedCommandId,
    unknownCommandId,
    token: 'spent',
    streamEpoch: () => 0n,
  };
}

const METHODS = OPERATOR_RPCS.map((method) => [nameOf(method), method] as const);

// Nothing sound is sent before the last of these: commands that exist end by themselves, which changes what is stored.
describe.each(METHODS)('%s', (_name, method: DescMethod) => {
  test('refuses whatever is wrong by the name of its field, and stores nothing of it', async () => {
    const faults = faultsOf(method.input, sample).filter((fault) => !tolerances.covers(fault));
    expect(faults.length).toBeGreaterThan(0);
    const before = await stored.read();
    expect(await gateway.unrefused(method, faults)).toEqual([]);
    expect(await stored.read()).toEqual(before);
  });
});

describe.each(METHODS)('%s', (_name, method: DescMethod) => {
  test('takes what only looks wrong, and what is sound', async () => {
    const faults = faultsOf(method.input, sample).filter((fault) => tolerances.covers(fault));
    expect(await gateway.refused(method, faults)).toEqual([]);
    expect(await gateway.unsound(method, soundRequests(method.input, sample))).toEqual([]);
  });
});

test('every exception to the rules is one that is needed', () => {
  expect(tolerances.unused()).toEqual([]);
});
