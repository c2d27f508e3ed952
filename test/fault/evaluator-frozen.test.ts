import { afterEach, beforeEach, expect, test } from 'vitest';
import { IntentType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { EvaluatorWorld, minute, pumpStrategy, shortly, statusOf, SYMBOL, TRADE } from '../harness/evaluator-world.ts';
import { until } from '../harness/until.ts';

let world: EvaluatorWorld;

beforeEach(async () => {
  world = await EvaluatorWorld.start();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

test('an owner that was frozen past its lease and thaws changes nothing: another has decided meanwhile', async () => {
  const { replica: owner, process } = await world.process('frozen');
  world.save('s1', pumpStrategy());
  const { id } = await world.activate(owner, 's1');
  const other = await world.replica('other');
  expect(statusOf(await world.instance(other, id))).toBe('ACTIVE');
  process.signal('SIGSTOP');
  try {
    world.neighbours.market.event(SYMBOL, minute(1), { price: 150, pump_magnitude_pct: 6 });
    await world.intent('SIGNAL');
    expect((await world.instance(other, id)).replicaId).toBe('other');
  } finally {
    process.signal('SIGCONT');
  }
  // Thawed, it finds the event in its stream, decides the same, and is refused.
  await until(async () => (await world.instance(owner, id)).replicaId === 'other', 'an answer of the thawed one');
  world.neighbours.market.event(SYMBOL, minute(2), { price: 90, pump_magnitude_pct: 0 });
  const enter = await world.intent('ENTER');
  await world.report(owner, enter, 'OPENED');
  await world.state(owner, id, 'POSITION_ACTIVE');
  const all = await world.evaluations(other, 3);
  expect(all.map(shortly)).toEqual(TRADE.slice(0, 3));
  expect(new Set(all.map(({ replicaId }) => replicaId))).toEqual(new Set(['other']));
  const asked = world.neighbours.session.intents.map(({ type }) => IntentType[type]);
  expect(asked).toEqual(['SIGNAL', 'ENTER']);
});
