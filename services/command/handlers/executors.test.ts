import { create, type MessageInitShape, toJsonString } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { executorFakes, directoryOf, HandBell } from '../../../test/harness/command-fakes.ts';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import { SAMPLE_NOW_MS, sampleId } from '../../../test/harness/sample-commands.ts';
import { sampleExecutor } from '../../../test/harness/sample-executors.ts';
import {
  CreateExecutorRequestSchema,
  ExecutorSchema,
  ExecutorState,
  LinkKind,
  ListExecutorsRequestSchema,
  RotateCredentialsRequestSchema,
  WatchExecutorsRequestSchema,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { hashSecret } from '../domain/credential.ts';
import type { ExecutorView, NewCredential } from '../domain/executor-book.ts';
import { executorToProto } from '../wire/executor-to-proto.ts';
import { executorHandlers } from './index.ts';

function viewOf(overrides: Partial<ExecutorView['executor']> = {}): ExecutorView {
  return {
    executor: sampleExecutor(overrides),
    inFlight: 1,
    queued: 2,
    queuedMax: 20_000,
    credentials: [],
    refusal: null,
  };
}

describe('an executor on the wire', () => {
  test('says how it stands', () => {
    const view = viewOf({
      connectMs: SAMPLE_NOW_MS,
      online: true,
      ownerReplica: 'r1',
      ownerSeenMs: SAMPLE_NOW_MS + 3_000,
      link: 'POLL',
      streamEpoch: 4,
      kinds: ['ping'],
      roundTripMs: 12,
    });
    expect(executorToProto(view)).toMatchObject({
      state: ExecutorState.ONLINE,
      link: LinkKind.POLL,
      ownerReplica: 'r1',
      streamEpoch: 4n,
      inFlight: 1,
      queued: 2,
      kinds: ['ping'],
      lastSeenTime: { seconds: BigInt(SAMPLE_NOW_MS / 1_000 + 3) },
      roundTrip: { nanos: 12_000_000 },
    });
  });

  test.each([
    ['NEVER_CONNECTED', {}],
    ['OFFLINE', { connectMs: 1, disconnectMs: 2 }],
    ['OFFLINE', { connectMs: 1, ownerReplica: 'dead', online: false }],
    ['DISABLED', { connectMs: 1, online: true, disableMs: 2 }],
  ] as const)('is %s', (state, overrides) => {
    const message = executorToProto(viewOf(overrides));
    expect(message.state).toBe(ExecutorState[state]);
    expect(state === 'OFFLINE' ? message.ownerReplica : '').toBe('');
  });
});

function creation(created = true) {
  const credentials: NewCredential[] = [];
  const changed: string[] = [];
  const handlers = executorHandlers(
    executorFakes({
      book: {
        create: ({ credential }) => {
          credentials.push(credential);
          return Promise.resolve(created);
        },
        views: (_, ids) => Promise.resolve(ids.map((id) => viewOf({ id }))),
      },
      executorChanged: (accountId, executorId) => changed.push(`${accountId}/${executorId}`),
    }),
  );
  const { context } = handlerCall();
  const call = (init: MessageInitShape<typeof CreateExecutorRequestSchema>) =>
    Promise.resolve(handlers.createExecutor(create(CreateExecutorRequestSchema, init), context));
  return { call, credentials, changed };
}

describe('creating an executor', () => {
  test('gives out the secret once and stores its hash', async () => {
    const { call, credentials, changed } = creation();
    const { executor, credentials: given } = await call({ name: 'vps-1', labels: { zone: 'eu' } });
    expect(given).toMatchObject({
      executorId: executor?.id,
      executorName: 'vps-1',
      linkUrls: ['http://127.0.0.1:7080'],
      gatewayUrl: 'http://127.0.0.1:7070',
    });
    expect(Buffer.from(given?.secret ?? '', 'base64url')).toHaveLength(32);
    expect(given?.keyId).toMatch(/^k[0-9a-f]{24}$/);
    expect(credentials).toHaveLength(1);
    expect(hashSecret(given?.secret ?? '')).toEqual(credentials[0]?.secretHash);
    expect(toJsonString(ExecutorSchema, create(ExecutorSchema, executor))).not.toContain(given?.secret);
    expect(changed).toEqual([`main/${executor?.id}`]);
  });

  test('is refused for a name that is taken', async () => {
    const { call, changed } = creation(false);
    await expect(call({ name: 'vps-1' })).rejects.toMatchObject({
      code: 'AlreadyExists',
      reason: 'NAME_TAKEN',
      metadata: { resource: 'executor', name: 'vps-1' },
    });
    expect(changed).toEqual([]);
  });

  test.each([
    [{ name: '' }, ['name']],
    [{ name: 'VPS' }, ['name']],
    [{ name: 'x'.repeat(64) }, ['name']],
    [{ name: sampleId(1) }, ['name']],
    [{ name: 'ok', labels: { '': 'x', a: 'x'.repeat(64), b: 'y\n' } }, ['labels', 'labels["a"]', 'labels["b"]']],
    [
      { name: ' ', labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, ''])) },
      ['name', 'labels'],
    ],
  ])('is refused for %j', async (init, fields) => {
    const { call, credentials } = creation();
    await expect(call(init)).rejects.toMatchObject({
      code: 'InvalidArgument',
      violations: fields.map((field) => ({ field })),
    });
    expect(credentials).toEqual([]);
  });
});

function rotation(rotated = true) {
  const overlaps: number[] = [];
  const invalidated: string[] = [];
  const directory = { ...directoryOf([sampleExecutor()]), invalidate: (id: string) => void invalidated.push(id) };
  const handlers = executorHandlers(
    executorFakes({
      directory,
      book: {
        rotate: (_account, _id, _credential, overlapMs) => {
          overlaps.push(overlapMs);
          return Promise.resolve(rotated);
        },
        views: (_, ids) => Promise.resolve(ids.map((id) => viewOf({ id }))),
      },
    }),
  );
  const { context } = handlerCall();
  const call = (init: MessageInitShape<typeof RotateCredentialsRequestSchema>) =>
    Promise.resolve(handlers.rotateCredentials(create(RotateCredentialsRequestSchema, init), context));
  return { call, overlaps, invalidated };
}

describe('rotating credentials', () => {
  test.each([
    [undefined, 3_600_000],
    [{ seconds: 0n, nanos: 0 }, 0],
    [{ seconds: 90n, nanos: 0 }, 90_000],
  ])('with an overlap of %o ends the old ones in %d ms', async (overlap, overlapMs) => {
    const { call, overlaps, invalidated } = rotation();
    const { credentials } = await call(overlap === undefined ? { executor: 'vps-1' } : { executor: 'vps-1', overlap });
    expect(credentials?.secret).not.toBe('');
    expect(overlaps).toEqual([overlapMs]);
    expect(invalidated).toEqual([sampleExecutor().id]);
  });

  test('is refused when the executor is disabled, unknown, or the overlap endless', async () => {
    await expect(rotation(false).call({ executor: 'vps-1' })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      reason: 'EXECUTOR_DISABLED',
    });
    await expect(rotation().call({ executor: 'nobody' })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(rotation().call({ executor: '', overlap: { seconds: 2_592_001n } })).rejects.toMatchObject({
      violations: [{ field: 'executor' }, { field: 'overlap' }],
    });
  });
});

test('listing executors goes on after the last name of the page', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const { context } = handlerCall();
  const handlers = executorHandlers(
    executorFakes({
      book: {
        list: (_, { afterName, executorsMax }) =>
          Promise.resolve(
            names
              .filter((name) => name > afterName)
              .slice(0, executorsMax)
              .map((name) => ({ id: sampleId(names.indexOf(name)), name })),
          ),
        // In another order than asked, as a database may give them.
        views: (_, ids) =>
          Promise.resolve(ids.toReversed().map((id) => viewOf({ id, name: names[Number(id.at(-1))] ?? '' }))),
      },
    }),
  );
  const list = (init: MessageInitShape<typeof ListExecutorsRequestSchema>) =>
    Promise.resolve(handlers.listExecutors(create(ListExecutorsRequestSchema, init), context));
  const first = await list({ pageSize: 2 });
  const second = await list({ pageSize: 3, pageToken: first.nextPageToken ?? '' });
  expect(first.executors?.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(second.executors?.map(({ name }) => name)).toEqual(['c', 'd', 'e']);
  expect(second.nextPageToken).toBe('');
  const elsewhere = list({ pageToken: first.nextPageToken ?? '', labels: { zone: 'eu' } });
  await expect(elsewhere).rejects.toMatchObject({ reason: 'CURSOR_INVALID' });
});

function watching() {
  const versions = new Map([
    [sampleId(1), '1'],
    [sampleId(2), '1'],
  ]);
  const bell = new HandBell();
  const clock = new ManualClock();
  let looks = 0;
  const handlers = executorHandlers(
    executorFakes({
      bell,
      clock,
      directory: directoryOf([sampleExecutor({ id: sampleId(2), name: 'two' })]),
      book: {
        versions: (_, only) => {
          looks += 1;
          const all = [...versions].map(([id, version]) => ({ id, version }));
          return Promise.resolve(all.filter(({ id }) => only === undefined || id === only));
        },
        views: (_, ids) => Promise.resolve(ids.map((id) => viewOf({ id }))),
      },
    }),
  );
  const call = handlerCall();
  const watch = (executor = '', checkpoints = false) => {
    const request = create(WatchExecutorsRequestSchema, { executor, checkpoints });
    return handlers.watchExecutors(request, call.context)[Symbol.asyncIterator]();
  };
  return { watch, versions, bell, clock, end: call.end, looks: () => looks };
}

describe('watching executors', () => {
  test('tells all once, then each as it changes, by ring or by the second', async () => {
    const { watch, versions, bell, clock, end, looks } = watching();
    const stream = watch();
    const next = async (): Promise<string | undefined> => {
      const { value } = await stream.next();
      return value?.executor?.id;
    };
    expect([await next(), await next()]).toEqual([sampleId(1), sampleId(2)]);
    const rung = next();
    versions.set(sampleId(2), '2');
    bell.ring();
    expect(await rung).toBe(sampleId(2));
    const found = next();
    versions.set(sampleId(1), '2');
    await expect
      .poll(() => {
        clock.advance(1_000);
        return looks();
      })
      .toBeGreaterThan(2);
    expect(await found).toBe(sampleId(1));
    const last = stream.next();
    end();
    expect((await last).done).toBe(true);
    expect(bell.listeners).toBe(0);
  });

  test('tells a watcher that asks when all was told, and then that the stream lives', async () => {
    const { watch, clock, end } = watching();
    const stream = watch('two', true);
    expect((await stream.next()).value?.executor?.id).toBe(sampleId(2));
    const startMs = clock.nowMs();
    for (const atMs of [0, 4_000, 8_000]) {
      const told: unknown[] = [];
      const next = stream.next().then(({ value }) => told.push(value?.executor));
      await expect
        .poll(() => {
          if (told.length === 0 && clock.nowMs() - startMs < atMs + 1_000) clock.advance(1_000);
          return told;
        })
        .toEqual([undefined]);
      await next;
      expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(atMs);
    }
    end();
  });

  test('tells a watcher that does not ask nothing but executors', async () => {
    const { watch, clock, end, looks } = watching();
    const stream = watch('two');
    await stream.next();
    const next = stream.next();
    await expect
      .poll(() => {
        clock.advance(1_000);
        return looks();
      })
      .toBeGreaterThan(10);
    end();
    expect((await next).done).toBe(true);
  });

  test('can be narrowed to one', async () => {
    const { watch, end } = watching();
    const stream = watch('two');
    expect((await stream.next()).value?.executor?.id).toBe(sampleId(2));
    end();
    expect((await stream.next()).done).toBe(true);
    await expect(watch('nobody').next()).rejects.toMatchObject({ code: 'NotFound' });
  });
});
