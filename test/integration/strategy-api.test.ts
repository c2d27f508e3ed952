import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PinPolicy } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  ChangeType,
  Operator,
  PositionSizeType,
  type Strategy,
} from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { reasonMetadataOf, reasonOf, violationsOf } from '../../services/platform/grpc/status.ts';
import { strategyForm, strategyJson, strategyJsonWith } from '../harness/sample-strategies.ts';
import { startStrategyWorld, type StrategyWorld } from '../harness/strategy-world.ts';
import { refusal, refusalOf } from '../harness/refusal.ts';

let world: StrategyWorld;
beforeAll(async () => {
  world = await startStrategyWorld({ replicas: 2 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function clientOf(accountId: string, replica = 0, subject?: string) {
  const found = world.replicas[replica];
  if (found === undefined) throw new RangeError(`there is no replica ${replica}`);
  return found.client(accountId, subject);
}

type StrategyClient = ReturnType<typeof clientOf>;

const json = (text: string) => ({ case: 'json' as const, value: text });

function condition(id: string, indicatorId: string, operator: string, value: number) {
  return { id, indicatorId, operator, value };
}

async function create(client: StrategyClient, name: string): Promise<Strategy> {
  return known((await client.createStrategy({ source: json(strategyJson(name)) })).strategy);
}

function known(strategy: Strategy | undefined): Strategy {
  if (strategy === undefined) throw new Error('no strategy came back');
  return strategy;
}

describe('a strategy', () => {
  test('is created, read by name and id on any replica, and exported as it was imported', async () => {
    const client = clientOf('creating');
    const { strategy, warnings } = await client.createStrategy({ source: json(strategyJson('pump')) });
    expect(warnings).toEqual([]);
    expect(strategy).toMatchObject({ revision: 1n, definition: { strategyName: 'pump' } });
    expect(JSON.parse(strategy?.json ?? '')).toEqual(strategyForm('pump'));
    const elsewhere = clientOf('creating', 1);
    for (const named of ['pump', strategy?.id ?? '']) {
      expect((await elsewhere.getStrategy({ strategy: named })).strategy).toEqual(strategy);
    }
    expect(await refusalOf(clientOf('somebody-else').getStrategy({ strategy: strategy?.id ?? '' }))).toBe(
      'NotFound RESOURCE_NOT_FOUND',
    );
  });

  test('as a message and in the JSON form is the same', async () => {
    const client = clientOf('messages');
    const made = await create(client, 'one');
    const definition = known(made).definition;
    if (definition === undefined) throw new Error('no definition');
    expect(definition.z1Entry?.positionSize?.type).toBe(PositionSizeType.PERCENTAGE);
    const source = { case: 'definition' as const, value: definition };
    // Nothing changed: the same revision comes back.
    const again = await client.updateStrategy({ strategy: 'one', revision: made.revision, source });
    expect(again.strategy).toEqual(made);
    const copy = await client.createStrategy({
      source: { case: 'definition', value: { ...definition, strategyName: 'two' } },
    });
    expect({ ...JSON.parse(copy.strategy?.json ?? ''), strategy_name: 'one' }).toEqual(JSON.parse(made.json));
  });

  test('has one name at a time, whichever replica is asked', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        clientOf('racing', i % 2)
          .createStrategy({ source: json(strategyJson('x')) })
          .then(
            () => 'made',
            (thrown: unknown) => (thrown instanceof ConnectError ? reasonOf(thrown) : thrown),
          ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'NAME_TAKEN')).toHaveLength(9);
    const client = clientOf('racing');
    const other = await create(client, 'y');
    expect(
      await refusalOf(
        client.updateStrategy({ strategy: 'y', revision: other.revision, source: json(strategyJson('x')) }),
      ),
    ).toBe('AlreadyExists NAME_TAKEN');
  });

  test('is created once a request id', async () => {
    const first = { source: json(strategyJson('x')), requestId: 'r-1' };
    const made = await clientOf('repeating').createStrategy(first);
    const renamed = await clientOf('repeating', 1).updateStrategy({
      strategy: 'x',
      revision: made.strategy?.revision ?? 0n,
      source: json(strategyJson('renamed')),
    });
    expect(renamed.strategy?.revision).toBe(2n);
    expect((await clientOf('repeating', 1).createStrategy(first)).strategy).toEqual(made.strategy);
    expect(await refusalOf(clientOf('repeating').createStrategy({ ...first, source: json(strategyJson('y')) }))).toBe(
      'AlreadyExists REQUEST_ID_REUSED',
    );
  });

  test('is changed from what it is, or not at all', async () => {
    const client = clientOf('updating');
    const made = await create(client, 'x');
    await create(client, 'between');
    const change = { strategy: 'x', revision: made.revision, source: json(strategyJsonWith('x', 7)) };
    const updated = await client.updateStrategy(change);
    expect(updated.strategy).toMatchObject({ revision: 3n, id: made.id, createTime: made.createTime });
    const stale = await refusal(client.updateStrategy({ ...change, source: json(strategyJsonWith('x', 8)) }));
    expect([Code[stale.code], reasonOf(stale)]).toEqual(['Aborted', 'REVISION_STALE']);
    expect(reasonMetadataOf(stale)).toEqual({ strategy: 'x', revision: '1', current: '3' });
    for (const strategy of ['nobody', 'AAAAAAAA-2f7a-7000-8000-0123456789ab']) {
      expect(await refusalOf(client.updateStrategy({ ...change, strategy }))).toBe('NotFound RESOURCE_NOT_FOUND');
    }
    const shouted = { ...change, strategy: made.id.toUpperCase(), revision: 3n };
    expect((await client.updateStrategy(shouted)).strategy?.revision).toBe(3n);
    expect(await refusalOf(clientOf('updating-others').updateStrategy(shouted))).toBe('NotFound RESOURCE_NOT_FOUND');
  });

  test('is read as it was at any revision of the account', async () => {
    const client = clientOf('history');
    const made = await create(client, 'x');
    await create(client, 'other');
    const source = json(strategyJsonWith('x', 7));
    const updated = known((await client.updateStrategy({ strategy: 'x', revision: made.revision, source })).strategy);
    for (const [revision, expected] of [
      [0n, updated],
      [1n, made],
      [2n, made],
      [3n, updated],
    ] as const) {
      expect((await client.getStrategy({ strategy: 'x', revision })).strategy).toEqual(expected);
    }
    expect(await refusalOf(client.getStrategy({ strategy: 'other', revision: 1n }))).toBe(
      'NotFound RESOURCE_NOT_FOUND',
    );
    expect(await refusalOf(client.getStrategy({ strategy: 'x', revision: 9n }))).toBe('OutOfRange REVISION_UNKNOWN');
  });

  test('that is wrong is refused with every fault, in the words of how it came', async () => {
    const client = clientOf('faults');
    const wrong = strategyJson('', {
      s1_signal: {
        conditions: [
          { id: 'a', indicatorId: 'rsy_14', operator: '>', value: 5 },
          { id: 'b', indicator_id: 'PRICE', operator: '=>', value: 5 },
        ],
      },
      globalLimit: {},
    });
    const error = await refusal(client.createStrategy({ source: json(wrong) }));
    expect(Code[error.code]).toBe('InvalidArgument');
    expect(violationsOf(error).map(({ field }) => field)).toEqual([
      'globalLimit',
      'strategy_name',
      's1_signal.conditions[1].operator',
      's1_signal.conditions[0].indicatorId',
    ]);
    const message = await refusal(
      client.createStrategy({
        source: {
          case: 'definition',
          value: {
            strategyName: 'x',
            s1Signal: {
              conditions: [{ id: 'a', indicatorId: 'price', operator: Operator.UNSPECIFIED, value: Number.NaN }],
            },
            z1Entry: { positionSize: { type: PositionSizeType.FIXED, value: -1 } },
          },
        },
      }),
    );
    expect(violationsOf(message).map(({ field }) => field)).toEqual([
      'definition.s1_signal.conditions[0].operator',
      'definition.s1_signal.conditions[0].value',
      'definition.z1_entry.position_size.value',
    ]);
    expect((await refusal(client.createStrategy({}))).rawMessage).toMatch(/^source: is required: definition, or json/);
    expect((await client.listStrategies({})).strategies).toEqual([]);
  });

  test('is validated without being stored, whatever is wrong being an answer', async () => {
    const client = clientOf('validating');
    const sound = await client.validateStrategy({ source: json(strategyJson('x', { s1Signal: { conditions: [] } })) });
    expect(sound).toMatchObject({ valid: false });
    expect(sound.faults.map(({ field, warning }) => [field, warning])).toEqual([['s1_signal', false]]);
    const warned = await client.validateStrategy({
      source: json(strategyJson('x', { s1_signal: { conditions: [] } })),
    });
    expect(warned).toMatchObject({ valid: true, definition: { strategyName: 'x' } });
    expect(warned.faults.map(({ field, warning }) => [field, warning])).toEqual([['s1_signal', true]]);
    const broken = await client.validateStrategy({ source: json('{"strategy_name": ') });
    expect(broken.faults).toMatchObject([{ field: '', description: 'is not JSON: it ends too early' }]);
    expect((await client.listStrategies({})).strategies).toEqual([]);
  });
});

describe('indicators', () => {
  test('are normalised, matched whatever their case, and two names of one are compared as one', async () => {
    const client = clientOf('indicators');
    world.neighbours.answers.indicators.set('rsi', 'rsi_14');
    const made = await client.createStrategy({
      source: json(strategyJson('x', { s1_signal: { conditions: [condition('a', 'RSI-14', '>', 1)] } })),
    });
    expect(made.strategy?.definition?.s1Signal?.conditions[0]?.indicatorId).toBe('rsi_14');
    const conditions = [condition('a', 'RSI 14', '>', 5), condition('b', 'rsi', '<', 3)];
    const error = await refusal(
      client.createStrategy({ source: json(strategyJson('y', { s1_signal: { conditions } })) }),
    );
    expect(violationsOf(error)).toEqual([
      { field: 's1_signal.conditions[1]', description: 'no value of rsi_14 is < 3 and satisfies a (> 5)' },
    ]);
  });

  test('that are known are not asked for again on every save, and are asked for as the account', async () => {
    const client = clientOf('asking');
    const { asked } = world.neighbours.answers;
    world.neighbours.answers.indicators.set('fresh_1', 'fresh_1');
    const source = json(
      strategyJson('x', { ze1_close: { conditions: [{ id: 'c', indicatorId: 'fresh-1', operator: '>', value: 1 }] } }),
    );
    const before = asked.length;
    await client.createStrategy({ source });
    expect(asked.slice(before)).toEqual(['asking']);
    await client.validateStrategy({ source });
    expect(asked.length).toBe(before + 1);
  });
});

describe('deleting', () => {
  test('ends a strategy, frees its name, and leaves its revisions readable by id', async () => {
    const client = clientOf('deleting');
    const made = await create(client, 'x');
    const deleted = known((await client.deleteStrategy({ strategy: 'x' })).strategy);
    expect(deleted).toMatchObject({ id: made.id, revision: 2n, definition: made.definition });
    expect(deleted.deleteTime).toEqual(deleted.updateTime);
    expect(await refusalOf(client.getStrategy({ strategy: 'x' }))).toBe('NotFound RESOURCE_NOT_FOUND');
    expect((await client.getStrategy({ strategy: made.id })).strategy).toEqual(deleted);
    expect((await client.getStrategy({ strategy: made.id, revision: 1n })).strategy).toEqual(made);
    expect((await client.deleteStrategy({ strategy: made.id })).strategy).toEqual(deleted);
    expect(
      await refusalOf(client.updateStrategy({ strategy: made.id, revision: 2n, source: json(strategyJson('x')) })),
    ).toBe('NotFound RESOURCE_NOT_FOUND');
    const next = await create(client, 'x');
    expect(next).toMatchObject({ revision: 3n });
    expect((await client.listStrategies({})).strategies.map(({ id }) => id)).toEqual([next.id]);
  });

  test('is refused while sessions use it, naming them, unless forced', async () => {
    const client = clientOf('using');
    const made = await create(client, 'x');
    world.neighbours.answers.uses.set(made.id, ['s-1', 's-2']);
    const error = await refusal(client.deleteStrategy({ strategy: 'x' }));
    expect([Code[error.code], reasonOf(error)]).toEqual(['FailedPrecondition', 'STRATEGY_IN_USE']);
    expect(reasonMetadataOf(error)).toEqual({ strategy: 'x', sessions: 's-1,s-2' });
    expect(error.rawMessage).toContain('sessions s-1, s-2');
    expect((await client.deleteStrategy({ strategy: 'x', force: true })).strategy?.revision).toBe(2n);
  });
});

describe('lists', () => {
  test('of strategies go by name, page by page', async () => {
    const client = clientOf('listing');
    for (const name of ['c', 'a', 'd', 'b']) await create(client, name);
    const first = await client.listStrategies({ pageSize: 3 });
    const second = await client.listStrategies({ pageSize: 3, pageToken: first.nextPageToken });
    expect([...first.strategies, ...second.strategies].map(({ definition }) => definition?.strategyName)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    expect(second.nextPageToken).toBe('');
    expect(await refusalOf(clientOf('other').listStrategies({ pageToken: first.nextPageToken }))).toBe(
      'InvalidArgument CURSOR_INVALID',
    );
  });

  test('of revisions go from the newest, each with what it changed and by whom', async () => {
    const client = clientOf('revisions');
    const made = await create(client, 'x');
    await create(client, 'other');
    const source = json(strategyJsonWith('x', 7));
    await clientOf('revisions', 1, 'anna').updateStrategy({ strategy: 'x', revision: made.revision, source });
    await client.deleteStrategy({ strategy: 'x' });
    const first = await client.listRevisions({ strategy: made.id, pageSize: 2 });
    expect(
      first.revisions.map(({ type, author, strategy, changes }) => [
        ChangeType[type],
        author,
        Number(strategy?.revision),
        changes.map(({ path, before, after }) => `${path}: ${before} → ${after}`),
      ]),
    ).toEqual([
      ['DELETED', 'tester', 4, []],
      ['UPDATED', 'anna', 3, ['s1_signal.conditions[cond1].value: 5 → 7']],
    ]);
    const second = await client.listRevisions({ strategy: made.id, pageSize: 2, pageToken: first.nextPageToken });
    expect(second.revisions).toMatchObject([{ type: ChangeType.CREATED, strategy: made }]);
    expect(second.revisions[0]?.changes.map(({ path }) => path)).toContain('strategy_name');
    expect(second.nextPageToken).toBe('');
  });
});

describe('the rollout', () => {
  test('tells which evaluators and instances run which revision', async () => {
    const client = clientOf('rollout');
    const made = await create(client, 'x');
    const other = await create(client, 'y');
    const checkpoint = (await client.getRollout({})).digest;
    const { answers } = world.neighbours;
    answers.caches = [
      { replicaId: 'e-0', appliedRevision: 2n, digest: checkpoint },
      { replicaId: 'e-1', appliedRevision: 1n, digest: 'old' },
      { replicaId: 'e-2', appliedRevision: 2n, digest: 'wrong' },
    ];
    answers.instances = [
      { strategyId: made.id, sessionId: 's', symbol: 'A', runningRevision: 1n, pinPolicy: PinPolicy.FOLLOW_LATEST },
      { strategyId: other.id, sessionId: 's', symbol: 'A', runningRevision: 1n, pinPolicy: PinPolicy.PINNED },
    ];
    const rollout = await client.getRollout({});
    expect(rollout).toMatchObject({ revision: 2n, unreachable: [] });
    expect(rollout.evaluators.map(({ replicaId, current }) => [replicaId, current])).toEqual([
      ['e-0', true],
      ['e-1', false],
      ['e-2', false],
    ]);
    expect(rollout.instances.map(({ current, pinned }) => [current, pinned])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect((await client.getRollout({ strategy: 'y' })).instances).toHaveLength(1);
    expect(await refusalOf(client.getRollout({ strategy: 'nobody' }))).toBe('NotFound RESOURCE_NOT_FOUND');
    answers.caches = [];
    answers.instances = [];
  });
});

test('without the services around it, it says what it cannot know', async () => {
  await using alone = await startStrategyWorld({
    urls: {
      marketUrls: ['http://127.0.0.1:1'],
      sessionUrls: ['http://127.0.0.1:1'],
      evaluatorUrls: ['http://127.0.0.1:1'],
    },
  });
  const client = alone.replicas[0]?.client('alone');
  if (client === undefined) throw new Error('no replica');
  const source = json(strategyJson('x'));
  expect(await refusalOf(client.createStrategy({ source }))).toBe('Unavailable UNAVAILABLE');
  // What is wrong anyway is said at once.
  expect(await refusalOf(client.createStrategy({ source: json(strategyJson('')) }))).toBe(
    'InvalidArgument INVALID_FIELD',
  );
  const { valid, faults } = await client.validateStrategy({ source });
  expect(valid).toBe(true);
  expect(faults).toMatchObject([
    { warning: true, description: expect.stringContaining('the market service did not answer') },
  ]);
  // A strategy without conditions names no indicator, so nobody need be asked.
  const bare = json(JSON.stringify({ strategy_name: 'bare' }));
  const made = await client.createStrategy({ source: bare });
  expect(made.warnings.map(({ field }) => field)).toEqual(['s1_signal', 'z1_entry', 'ze1_close']);
  expect(await refusalOf(client.deleteStrategy({ strategy: 'bare' }))).toBe('Unavailable UNAVAILABLE');
  const { unreachable, evaluators } = await client.getRollout({ strategy: 'bare' });
  expect(evaluators).toEqual([]);
  expect(unreachable).toEqual([expect.stringMatching(/^the evaluator at http:\/\/127\.0\.0\.1:1 did not answer/)]);
  expect((await client.deleteStrategy({ strategy: 'bare', force: true })).strategy?.revision).toBe(2n);
});
