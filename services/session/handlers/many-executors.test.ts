import { fromJson } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  GetExecutorResponseSchema,
  ListExecutorsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { HaltView } from '../domain/halt.ts';
import type { Upstream } from '../upstream.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { presentHalt } from './halts.ts';
import { chooseExecutor } from './resolving.ts';

const PAGE = 1_000;
const upstreamOf = (parts: object): Upstream => Object.assign(Object.create(null), parts);
const dependencies = (parts: object): SessionHandlerDependencies => Object.assign(Object.create(null), parts);
const viewOf = (parts: object): HaltView => Object.assign(Object.create(null), parts);

/** An account whose executors have numbers for ids, those from `firstOnline` on connected, and how often it was asked. */
function account(count: number, firstOnline: number) {
  let calls = 0;
  const executor = (at: number) => ({
    id: String(at),
    name: `vps-${at}`,
    state: at < firstOnline ? 'EXECUTOR_STATE_OFFLINE' : 'EXECUTOR_STATE_ONLINE',
  });
  const upstream = upstreamOf({
    as: () => ({}),
    executors: {
      getExecutor: async (request: { readonly executor: string }) => {
        calls++;
        return fromJson(GetExecutorResponseSchema, { executor: executor(Number(request.executor)) });
      },
      listExecutors: async ({ pageToken = '' }: { readonly pageToken?: string }) => {
        calls++;
        const first = Number(pageToken);
        const found = Array.from({ length: Math.min(PAGE, count - first) }, (_, at) => executor(first + at));
        const next = first + found.length;
        return fromJson(ListExecutorsResponseSchema, {
          executors: found,
          nextPageToken: next === count ? '' : String(next),
        });
      },
    },
  });
  return { upstream, calls: () => calls };
}

function pulled(executorIds: readonly string[]): HaltView {
  const command = { commandId: '', state: 'WANTED', message: '' };
  const targets = executorIds.map((executorId) => ({
    executorId,
    executorName: '',
    command,
    flat: false,
    acknowledgeTimeMs: null,
    abandonTimeMs: null,
    abandonReason: '',
  }));
  const halt = {
    id: 'h',
    accountId: 'main',
    scope: 'ACCOUNT',
    target: '',
    author: '',
    sessionIds: [],
    createTimeMs: 0,
  };
  return viewOf({ halt: { ...halt, closePositions: true, completeTimeMs: null }, targets });
}

const halts = { closing: async () => new Set() };

test.each([
  [1, 1],
  [5_000, 5],
  [10_000, 10],
])(
  'a kill switch for %d executors is shown for %d questions, for every page of the console asks',
  async (count, most) => {
    const { upstream, calls } = account(count, 1);
    const ids = Array.from({ length: count }, (_, at) => String(at));
    const { acknowledgements } = await presentHalt(dependencies({ upstream, halts }), pulled(ids));
    expect(acknowledgements.map(({ connected }) => connected)).toEqual(ids.map((id) => id !== '0'));
    expect(calls()).toBeLessThanOrEqual(most);
  },
);

test('one that does not exist any more is not connected, among however many', async () => {
  const { upstream } = account(50, 0);
  const ids = Array.from({ length: 60 }, (_, at) => String(at));
  const { acknowledgements } = await presentHalt(dependencies({ upstream, halts }), pulled(ids));
  expect(acknowledgements.filter(({ connected }) => connected)).toHaveLength(50);
});

test('an executor is chosen among all that carry the labels, not among the first page of them', async () => {
  const { upstream } = account(2_500, 2_400);
  expect(await chooseExecutor(upstream, 'main', { kind: 'paper' })).toEqual({ id: '2400', name: 'vps-2400' });
  await expect(chooseExecutor(account(2_500, 2_500).upstream, 'main', { kind: 'paper' })).rejects.toThrow(
    '2500 executors, none of them connected, carry the labels kind=paper',
  );
});
