import { afterEach, beforeEach, expect, test } from 'vitest';
import { IntentType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  type EvaluatorReplica,
  EvaluatorWorld,
  minute,
  pumpStrategy,
  shortly,
  SYMBOL,
  TRADE,
} from '../harness/evaluator-world.ts';
import { until } from '../harness/until.ts';

const INSTANCES = 6;
/** The lease, a heartbeat, and what two busy processes may take on top. */
const TAKEN_OVER_MS_MAX = 6_000;

let world: EvaluatorWorld;

beforeEach(async () => {
  world = await EvaluatorWorld.start();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

function event(n: number, price: number, pump = 0): void {
  world.neighbours.market.event(SYMBOL, minute(n), { price, pump_magnitude_pct: pump });
}

async function intents(type: IntentType, count: number) {
  const of = () => world.neighbours.session.intents.filter((intent) => intent.type === type);
  await until(() => of().length >= count, `${count} intents of type ${IntentType[type]}`, 15_000);
  return of();
}

/** Every instance with a position, half of them owned by each replica. */
async function openPositions(replica: EvaluatorReplica): Promise<string[]> {
  world.save('s1', pumpStrategy());
  const ids: string[] = [];
  for (let n = 0; n < INSTANCES; n++) ids.push((await world.activate(replica, 's1')).id);
  await until(async () => {
    const { instances } = await replica.client.listInstances({}, world.options);
    return new Set(instances.map(({ replicaId }) => replicaId)).size === 2;
  }, 'instances on both');
  event(1, 150, 6);
  event(2, 90);
  for (const enter of await intents(IntentType.ENTER, INSTANCES)) await world.report(replica, enter, 'OPENED');
  for (const id of ids) await world.state(replica, id, 'POSITION_ACTIVE');
  return ids;
}

test('kill -9 of the owner of open positions: the other goes on within the lease, nothing lost, nothing twice', async () => {
  const { process } = await world.process('victim');
  const { replica } = await world.process('heir');
  const ids = await openPositions(replica);
  event(3, 150);
  await process.kill();
  const killedMs = performance.now();
  // Nobody looks at these for those that the victim owned, until the heir takes them up.
  event(4, 250);
  event(5, 150);
  const exits = await intents(IntentType.EXIT, INSTANCES);
  expect(performance.now() - killedMs).toBeLessThan(TAKEN_OVER_MS_MAX);
  for (const exit of exits) await world.report(replica, exit, 'CLOSED');
  for (const id of ids) await world.state(replica, id, 'MONITORING');

  const all = await world.evaluations(replica, INSTANCES * TRADE.length);
  expect(all.map(({ sequence }) => Number(sequence))).toEqual(all.map((_, i) => i + 1));
  for (const id of ids) {
    const own = all.filter(({ instanceId }) => instanceId === id);
    expect(own.map(shortly)).toEqual(TRADE);
    expect(own[3]?.price).toBe('250');
  }
  const asked = world.neighbours.session.intents.map(({ instanceId, type }) => `${instanceId} ${IntentType[type]}`);
  expect(asked.toSorted()).toEqual(ids.flatMap((id) => [`${id} ENTER`, `${id} EXIT`, `${id} SIGNAL`]).toSorted());
});
