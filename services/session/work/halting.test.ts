import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { CommandSchema, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import { haltCommand, type HaltRecord, type HaltView } from '../domain/halt.ts';
import type { CommandRecord } from '../domain/records.ts';
import type { Upstream } from '../upstream.ts';
import { Halting, type HaltingOptions } from './halting.ts';
import { issue } from './issuing.ts';

const CREATE_MS = Date.UTC(2024, 0, 1);
const HALT: HaltRecord = {
  id: 'h',
  accountId: 'main',
  requestId: null,
  fingerprint: null,
  scope: 'ACCOUNT',
  target: '',
  closePositions: true,
  author: 'founder',
  sessionIds: [],
  createTimeMs: CREATE_MS,
  completeTimeMs: null,
};

function stopOf(executorId: string): CommandRecord {
  return haltCommand({ halt: HALT, sessionId: undefined }, executorId, 0, CREATE_MS);
}

function told(id: string, requestId: string, state: CommandState) {
  return create(CommandSchema, { id, requestId, state, createTime: timestampFromMs(CREATE_MS) });
}

type Requests = readonly { readonly requestId: string }[];

/** As far as they are asked here. */
const optionsOf = (parts: object): HaltingOptions => Object.assign(Object.create(null), parts);
const upstreamOf = (parts: object): Upstream => Object.assign(Object.create(null), parts);

/** A halt that waits for one executor, whose stop is being executed, so long after it was pulled. */
function waiting(ageMs = 60_000, stop: Partial<CommandRecord> = {}) {
  const clock = new ManualClock(CREATE_MS + ageMs);
  const log: string[] = [];
  const executor = { state: CommandState.RUNNING, disableMs: Infinity, onObserved: (): void => undefined };
  const command: CommandRecord = { ...stopOf('e'), state: 'RUNNING', commandId: 'c', ...stop };
  const issued: string[] = [];
  const commands = {
    getCommand: async () => ({ command: told('c', command.requestId, executor.state) }),
    cancelCommand: async () => {
      if (executor.state !== CommandState.RUNNING) throw new ConnectError('it has ended', Code.FailedPrecondition);
      executor.state = CommandState.CANCELLED;
    },
  };
  const executors = {
    getExecutor: async () => ({
      executor: executor.disableMs === Infinity ? {} : { disableTime: timestampFromMs(executor.disableMs) },
    }),
  };
  const halts = {
    observed: async ({ state }: CommandRecord) => {
      log.push(`observed ${state}`);
      executor.onObserved();
    },
    again: async (_: unknown, { createTimeMs }: CommandRecord) =>
      log.push(`again in ${createTimeMs - clock.nowMs()} ms`),
    acknowledged: async () => log.push('acknowledged'),
    abandoned: async () => log.push('given up') > 0,
    complete: async () => undefined,
    sessions: async () => [],
  };
  const target = {
    haltId: 'h',
    executorId: 'e',
    executorName: 'e',
    requestId: command.requestId,
    attempt: 0,
    flat: false,
    acknowledgeTimeMs: null,
    abandonTimeMs: null,
    abandonReason: '',
  };
  const view: HaltView = { halt: HALT, targets: [{ ...target, command }] };
  const upstream = {
    as: () => ({}),
    commands,
    executors,
    issue: async (_: string, requests: Requests) => {
      issued.push(...requests.map(({ requestId }) => requestId));
      return [];
    },
  };
  const options = {
    halts,
    book: { changeEach: async () => undefined },
    upstream,
    clock,
    logger: createLogger('test', 'silent'),
  };
  const halting = new Halting(optionsOf(options));
  return { clock, log, issued, command, executor, advance: () => halting.advance(view) };
}

describe('an executor that was disabled while it was waited for', () => {
  test('is given up without another try when its stop was cancelled', async () => {
    const { clock, log, executor, advance } = waiting();
    executor.disableMs = clock.nowMs() - 10_000;
    executor.state = CommandState.CANCELLED;
    await advance();
    expect(log).toEqual(['observed CANCELLED', 'given up']);
  });

  test('is awaited while an answer that was on its way may still be stored', async () => {
    const { clock, log, executor, advance } = waiting();
    executor.disableMs = clock.nowMs() - 4_999;
    await advance();
    expect(log).toEqual(['observed RUNNING']);
    clock.advance(1);
    await advance();
    expect(log).toContain('given up');
  });

  test('is given up as soon where the clock was set back meanwhile', async () => {
    const { clock, log, executor, advance } = waiting();
    executor.disableMs = clock.nowMs();
    clock.step(-7_200_000);
    await advance();
    expect(log).toEqual(['observed RUNNING']);
    clock.advance(5_000);
    await advance();
    expect(log).toContain('given up');
  });

  test('has confirmed when its answer came between the look and the end', async () => {
    const { clock, log, executor, advance } = waiting();
    executor.onObserved = () => {
      executor.onObserved = () => undefined;
      executor.state = CommandState.SUCCEEDED;
      executor.disableMs = clock.nowMs() + 1_000;
      clock.advance(7_000);
    };
    await advance();
    expect(log).toEqual(['observed RUNNING', 'observed SUCCEEDED', 'acknowledged']);
  });
});

test('a stop that failed is tried again, before and after it may be given up', async () => {
  for (const ageMs of [2_000, 60_000]) {
    const { log, executor, advance } = waiting(ageMs);
    executor.state = CommandState.FAILED;
    await advance();
    expect(log).toEqual(['observed FAILED', 'again in 2000 ms']);
  }
});

test('a stop that is to be repeated is not issued before it is time', async () => {
  const stop = { state: 'WANTED', commandId: '', createTimeMs: CREATE_MS + 65_000 } as const;
  const { clock, log, command, issued, advance } = waiting(60_000, stop);
  await advance();
  expect([issued, log]).toEqual([[], []]);
  clock.advance(5_000);
  await advance();
  expect(issued).toEqual([command.requestId]);
});

test.each([-60_000, -3_600_000])(
  'a stop that is to be repeated does not wait for a clock that was set back, by %i ms',
  async (stepMs) => {
    const stop = { state: 'WANTED', commandId: '', createTimeMs: CREATE_MS + 65_000 } as const;
    const { clock, command, issued, advance } = waiting(60_000, stop);
    clock.advance(stepMs);
    await advance();
    expect(issued).toEqual([command.requestId]);
  },
);

test('a halt that is young asks nobody whether its executors are lost', async () => {
  const { clock, log, executor, advance } = waiting(2_000);
  executor.disableMs = clock.nowMs() - 10_000;
  await advance();
  expect(log).toEqual(['observed RUNNING']);
});

test('the stop of one executor whose queue is full holds up that of no other', async () => {
  const stops = Array.from({ length: 150 }, (_, i) => stopOf(`e${i}`));
  const outcomesOf = async (_: string, requests: Requests) =>
    requests.map(({ requestId }) =>
      requestId === stops[0]?.requestId
        ? { outcome: { case: 'error', value: { code: Code.ResourceExhausted, reason: 0, message: 'full' } } }
        : { outcome: { case: 'issued', value: { command: told('c', requestId, CommandState.PENDING) } } },
    );
  const observed = await issue(upstreamOf({ issue: outcomesOf }), 'main', stops, undefined);
  expect(observed).toHaveLength(149);
});
