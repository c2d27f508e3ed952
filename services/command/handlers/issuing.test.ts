import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { commandFakes, directoryOf } from '../../../test/harness/command-fakes.ts';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import { SAMPLE_NOW_MS, sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import { sampleExecutor } from '../../../test/harness/sample-executors.ts';
import {
  IssueCommandRequestSchema,
  IssueCommandsRequestSchema,
  RetryCommandRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { CommandSchema, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { StatusError } from '../../platform/errors.ts';
import type { Command } from '../domain/command.ts';
import type { IssueOutcome } from '../domain/command-desk.ts';
import { type IssueOrder, issue } from '../domain/issue.ts';
import { commandHandlers } from './index.ts';

type IssueInit = MessageInitShape<typeof IssueCommandRequestSchema>;

const ping: IssueInit = { executor: 'vps-1', kind: { case: 'ping', value: { payload: 'x' } } };
const past = { seconds: BigInt(SAMPLE_NOW_MS / 1_000 - 1), nanos: 0 };

/** Handlers over a desk that keeps what it issues, as the real one does, and refuses what a test wants refused. */
function setUp(refuse: (order: IssueOrder) => StatusError | undefined = () => undefined) {
  const stored: Command[] = [];
  const orders: IssueOrder[] = [];
  const deps = commandFakes({
    directory: directoryOf([sampleExecutor(), sampleExecutor({ id: sampleId(0xe2), name: 'vps-2' })]),
    desk: {
      issue: (asked) =>
        Promise.resolve(
          asked.map((order): IssueOutcome => {
            orders.push(order);
            const error = refuse(order);
            if (error !== undefined) return { type: 'refused', error };
            const { command } = issue(order, SAMPLE_NOW_MS);
            stored.push(command);
            return { type: 'issued', command, already: false };
          }),
        ),
    },
    reader: {
      get: (accountId, id) => Promise.resolve(stored.find((one) => one.accountId === accountId && one.id === id)),
      getByRequestId: (_, requestId) => Promise.resolve(stored.find((command) => command.requestId === requestId)),
    },
  });
  const handlers = commandHandlers(deps);
  const { context } = handlerCall();
  return {
    stored,
    orders,
    issue: (init: IssueInit) =>
      Promise.resolve(handlers.issueCommand(create(IssueCommandRequestSchema, init), context)),
    issueMany: (requests: IssueInit[], brief = false) =>
      Promise.resolve(handlers.issueCommands(create(IssueCommandsRequestSchema, { requests, brief }), context)),
    retry: (init: MessageInitShape<typeof RetryCommandRequestSchema>) =>
      Promise.resolve(handlers.retryCommand(create(RetryCommandRequestSchema, init), context)),
  };
}

describe('issuing', () => {
  test('takes a checked order to the desk and shows the command', async () => {
    const { issue: issueOne, orders } = setUp();
    const response = await issueOne({ ...ping, requestId: 'r' });
    expect(orders).toMatchObject([
      { accountId: 'main', executorId: sampleExecutor().id, kind: 'ping', requestId: 'r' },
    ]);
    expect(response).toMatchObject({
      alreadyIssued: false,
      command: { executorName: 'vps-1', kind: { case: 'ping', value: { payload: 'x' } }, requestId: 'r' },
    });
  });

  test.each<[string, IssueInit, object]>([
    ['what is malformed', { executor: 'vps-1' }, { code: 'InvalidArgument', reason: 'INVALID_FIELD' }],
    [
      'an executor that is not there',
      { ...ping, executor: 'nobody' },
      { code: 'NotFound', reason: 'RESOURCE_NOT_FOUND' },
    ],
    ['what is already too late', { ...ping, notAfter: past, requestId: 'r' }, { violations: [{ field: 'not_after' }] }],
  ])('refuses %s before the desk sees it', async (_, init, error) => {
    const { issue: issueOne, orders } = setUp();
    await expect(issueOne(init)).rejects.toMatchObject(error);
    expect(orders).toEqual([]);
  });

  test('answers a brief batch with what was stored and in which state, and with every refusal', async () => {
    const { issueMany, stored } = setUp();
    const { outcomes = [] } = await issueMany([ping, { executor: 'vps-1' }], true);
    expect(outcomes.map(({ outcome }) => outcome?.case)).toEqual(['issued', 'error']);
    const [only] = stored;
    const command = create(CommandSchema, {
      id: only?.id ?? '',
      executorId: only?.executorId ?? '',
      sequence: BigInt(only?.sequence ?? -1),
      state: CommandState.PENDING,
    });
    expect(outcomes[0]?.outcome?.value).toMatchObject({ alreadyIssued: false, command });
  });

  test('passes on what the desk refuses', async () => {
    const full = new StatusError('ResourceExhausted', 'QUEUE_FULL', 'full');
    await expect(setUp(() => full).issue(ping)).rejects.toBe(full);
  });

  test('answers the repeat of a call that has become too late with its command', async () => {
    const { issue: issueOne, stored } = setUp();
    const notAfter = { seconds: BigInt(SAMPLE_NOW_MS / 1_000 + 60), nanos: 0 };
    const first = await issueOne({ ...ping, requestId: 'r', notAfter });
    const { context } = handlerCall();
    const later = commandFakes({
      clock: { nowMs: () => SAMPLE_NOW_MS + 120_000, steadyMs: () => 0, after: () => () => undefined },
      reader: { getByRequestId: (_, requestId) => Promise.resolve(stored.find((one) => one.requestId === requestId)) },
    });
    const repeat = (init: IssueInit) =>
      Promise.resolve(commandHandlers(later).issueCommand(create(IssueCommandRequestSchema, init), context));
    const again = await repeat({ ...ping, requestId: 'r', notAfter });
    expect(again).toMatchObject({ alreadyIssued: true, command: { id: first.command?.id } });
    const other: IssueInit = { ...ping, kind: { case: 'ping', value: { payload: 'other' } }, requestId: 'r', notAfter };
    await expect(repeat(other)).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  test('needs a caller', async () => {
    const { context } = handlerCall('nobody');
    const call = Promise.resolve().then(() =>
      commandHandlers(commandFakes()).issueCommand(create(IssueCommandRequestSchema, ping), context),
    );
    await expect(call).rejects.toMatchObject({ code: 'Unauthenticated' });
  });
});

describe('issuing many', () => {
  test('gives each request its own outcome, in order', async () => {
    const { issueMany, orders } = setUp((order) =>
      order.requestId === 'full' ? new StatusError('ResourceExhausted', 'QUEUE_FULL', 'full') : undefined,
    );
    const { outcomes } = await issueMany([
      { ...ping, requestId: 'a' },
      { executor: '' },
      { ...ping, executor: 'nobody' },
      { ...ping, requestId: 'full' },
      { ...ping, executor: 'vps-2', requestId: 'b' },
      { ...ping, notAfter: past },
    ]);
    expect(outcomes?.map(({ outcome }) => outcome)).toMatchObject([
      { case: 'issued', value: { command: { requestId: 'a', executorName: 'vps-1' } } },
      { case: 'error', value: { code: Code.InvalidArgument, reason: ErrorReason.INVALID_FIELD } },
      { case: 'error', value: { code: Code.NotFound, reason: ErrorReason.RESOURCE_NOT_FOUND } },
      { case: 'error', value: { code: Code.ResourceExhausted, reason: ErrorReason.QUEUE_FULL, message: 'full' } },
      { case: 'issued', value: { command: { requestId: 'b', executorName: 'vps-2' } } },
      { case: 'error', value: { code: Code.InvalidArgument } },
    ]);
    expect(orders.map((order) => order.requestId)).toEqual(['a', 'full', 'b']);
  });

  test('is refused as a whole for none and for more than 500', async () => {
    const { issueMany } = setUp();
    await expect(issueMany([])).rejects.toMatchObject({ violations: [{ field: 'requests' }] });
    await expect(issueMany(Array.from({ length: 501 }, () => ping))).rejects.toMatchObject({
      violations: [{ field: 'requests', description: 'must have 1 to 500 entries, has 501' }],
    });
  });
});

/** A ping that has ended. */
function ended(overrides: Partial<Command>): Command {
  const order = { kind: 'ping', parameters: new Uint8Array([0xaa, 1, 3, 10, 1, 120]), orderingKey: '' } as const;
  const asked = { ...order, attemptsMax: 5, lane: 2 } as const;
  return sampleCommand(asked, { finishMs: SAMPLE_NOW_MS, dueMs: Infinity, ...overrides });
}

describe('repeating a command', () => {
  test('issues the same anew, with fresh deadlines', async () => {
    const { retry, stored, orders } = setUp();
    stored.push(ended({ state: 'FAILED' }));
    const { command } = await retry({
      id: sampleId(1),
      requestId: 'again',
      deadlines: { deliverWithin: { seconds: 7n, nanos: 0 } },
    });
    expect(command).toMatchObject({ retryOf: sampleId(1), kind: { case: 'ping', value: { payload: 'x' } } });
    expect(command?.id).not.toBe(sampleId(1));
    expect(orders).toMatchObject([
      { retryOf: sampleId(1), requestId: 'again', attemptsMax: 5, lane: 2, spans: { deliverWithinMs: 7_000 } },
    ]);
  });

  test.each<[string, Partial<Command>, object]>([
    [
      'is under way',
      { state: 'SENT', dueMs: 1 },
      { code: 'FailedPrecondition', reason: 'STATE_ILLEGAL', metadata: { state: 'SENT' } },
    ],
    ['has succeeded', { state: 'SUCCEEDED' }, { code: 'FailedPrecondition', reason: 'STATE_ILLEGAL' }],
    [
      'cannot be read',
      { state: 'FAILED', parameters: new Uint8Array([1]) },
      { code: 'FailedPrecondition', reason: 'QUARANTINED' },
    ],
  ])('is refused for one that %s', async (_, overrides, error) => {
    const { retry, stored, orders } = setUp();
    stored.push(ended(overrides));
    await expect(retry({ id: sampleId(1) })).rejects.toMatchObject(error);
    expect(orders).toEqual([]);
  });

  test('is refused for one whose not_after is over', async () => {
    const { retry, stored } = setUp();
    const command = ended({ state: 'EXPIRED' });
    stored.push({ ...command, deadlines: { ...command.deadlines, notAfterMs: SAMPLE_NOW_MS } });
    await expect(retry({ id: sampleId(1) })).rejects.toMatchObject({ code: 'FailedPrecondition', reason: 'NOT_AFTER' });
  });

  test('gives a repeated call the same command, even if the first one has been settled since', async () => {
    const { retry, stored, orders } = setUp();
    stored.push(ended({ state: 'OUTCOME_UNKNOWN', unsettled: true }));
    const first = await retry({ id: sampleId(1), requestId: 'again' });
    stored[0] = ended({ state: 'SUCCEEDED' });
    const second = await retry({ id: sampleId(1), requestId: 'again' });
    expect(second.command?.id).toBe(first.command?.id);
    expect(orders).toHaveLength(1);
  });

  test('tells everything that is malformed at once', async () => {
    const call = setUp().retry({ id: 'x', requestId: '\n', deadlines: { startWithin: { seconds: -1n, nanos: 0 } } });
    await expect(call).rejects.toMatchObject({
      violations: [{ field: 'id' }, { field: 'request_id' }, { field: 'deadlines.start_within' }],
    });
  });

  test('finds nothing in another account', async () => {
    const { retry, stored } = setUp();
    stored.push({ ...ended({ state: 'FAILED' }), accountId: 'other' });
    await expect(retry({ id: sampleId(1) })).rejects.toMatchObject({ code: 'NotFound' });
  });
});
