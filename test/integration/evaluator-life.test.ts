import { randomUUID } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InstanceState, Section } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { Freshness } from '../../proto/gen/strategos/market/v1/market_pb.js';
import {
  EvaluatorWorld,
  minute,
  minuteTime,
  pumpStrategy,
  shortly,
  statusOf,
  SYMBOL,
  TRADE,
} from '../harness/evaluator-world.ts';
import { until } from '../harness/until.ts';

let world: EvaluatorWorld;

beforeEach(async () => {
  world = await EvaluatorWorld.start();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

function event(n: number, price: number, pump = 0): number {
  return world.neighbours.market.event(SYMBOL, minute(n), { price, pump_magnitude_pct: pump });
}

describe('a trade', () => {
  test('goes from signal to exit; every step is stored with its inputs, and every intent is handed over once', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(replica, 's1');
    event(1, 150, 6);
    event(2, 90);
    const enter = await world.intent('ENTER');
    expect(enter).toMatchObject({
      instanceId: id,
      symbol: SYMBOL,
      price: '90',
      revision: 1n,
      section: Section.Z1_ENTRY,
    });
    expect(enter.definition?.strategyName).toBe('pump');
    await world.report(replica, enter, 'OPENED', { quantity: '0.25' });
    await world.report(replica, enter, 'OPENED', { quantity: '0.25' });
    const held = await world.state(replica, id, 'POSITION_ACTIVE');
    expect([held.entryPrice, held.quantity]).toEqual(['90', '0.25']);
    event(3, 250);
    await world.report(replica, await world.intent('EXIT'), 'CLOSED');
    const evaluations = await world.evaluations(replica, TRADE.length);
    expect(evaluations.map(shortly)).toEqual(TRADE);
    expect(evaluations.map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3, 4, 5]);
    expect(evaluations[0]?.inputs).toMatchObject([
      { conditionId: 's', indicatorId: 'pump_magnitude_pct', actual: 6, result: true },
    ]);
    await until(async () => (await world.sql('SELECT FROM evaluator.intent')).length === 0, 'all intents acknowledged');
    expect(world.neighbours.session.handed).toBe(world.neighbours.session.intents.length);
  });

  test('a stop that the venue hit ends it, and the same event makes no signal', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(replica, 's1');
    event(1, 150, 6);
    event(2, 90);
    const enter = await world.intent('ENTER');
    await world.report(replica, enter, 'OPENED');
    await world.state(replica, id, 'POSITION_ACTIVE');
    const stop = {
      intentId: '',
      id: 'stop',
      section: Section.STOP_LOSS,
      reason: 'stop_loss',
      price: '80',
      time: minuteTime(3),
    };
    await world.report(replica, enter, 'CLOSED', stop);
    await world.state(replica, id, 'MONITORING');
    event(3, 70, 9);
    event(4, 70, 9);
    const all = await world.evaluations(replica, 6);
    expect(all.slice(3).map(shortly)).toEqual([
      'POSITION_ACTIVE>EXITED stop_loss stop_loss',
      'EXITED>MONITORING stop_loss exited',
      TRADE[0],
    ]);
    expect(all[5]?.time).toEqual(minuteTime(4));
  });

  test('a session that is away gets its intents when it is back', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    await world.activate(replica, 's1');
    world.neighbours.session.away = true;
    event(1, 150, 6);
    await world.evaluations(replica, 1);
    expect(world.neighbours.session.intents).toEqual([]);
    world.neighbours.session.away = false;
    await world.intent('SIGNAL');
  });
});

describe('two replicas', () => {
  test('share the instances, and one takes over all of them at the same place when the other stops', async () => {
    const a = await world.replica('a');
    const b = await world.replica('b');
    world.save('s1', pumpStrategy());
    const ids = await Promise.all(Array.from({ length: 8 }, async () => (await world.activate(a, 's1')).id));
    await until(async () => {
      const { instances } = await b.client.listInstances({}, world.options);
      return instances.filter(({ replicaId }) => replicaId === 'a').length === 4;
    }, 'four instances each');
    event(1, 150, 6);
    await until(() => world.neighbours.session.intents.length === ids.length, 'a signal of each');
    await a.stop();
    event(2, 90);
    await until(() => world.neighbours.session.intents.length === 2 * ids.length, 'an entry of each');
    const all = await world.evaluations(b, 2 * ids.length);
    for (const id of ids) {
      expect(all.filter(({ instanceId }) => instanceId === id).map(shortly)).toEqual(TRADE.slice(0, 2));
    }
    expect(all.map(({ sequence }) => Number(sequence))).toEqual(all.map((_, i) => i + 1));
  });

  test('an owner whose epoch is old writes nothing and asks for nothing', async () => {
    const a = await world.replica('a');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(a, 's1');
    // As if another had claimed it: the epoch has risen, and the owner has not noticed.
    await world.sql('UPDATE evaluator.instance SET lease_epoch = lease_epoch + 1, owner_id = $1 WHERE id = $2', [
      randomUUID(),
      id,
    ]);
    event(1, 150, 6);
    // It is free, since that other does not live: claimed again, it is taken up from where it was stored.
    await world.intent('SIGNAL');
    const all = await world.evaluations(a, 1);
    expect(all.map(({ leaseEpoch }) => Number(leaseEpoch))).toEqual([3]);
    expect(world.neighbours.session.handed).toBe(1);
  });

  test('whichever is asked explains with the values that the owner has', async () => {
    const a = await world.replica('a');
    const b = await world.replica('b');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(a, 's1');
    event(1, 150, 1.25);
    const place = { sessionId: world.sessionId, strategy: 'pump', symbol: SYMBOL.toLowerCase() };
    for (const { client } of [a, b]) {
      const sentence = 'waits for s1_signal: pump_magnitude_pct is 1.25, must be >= 5';
      await until(async () => {
        const told = await client.explainInstance({ instanceId: id }, world.options);
        return told.sentence === sentence;
      }, sentence);
      expect((await client.explainInstance(place, world.options)).sentence).toBe(sentence);
    }
    await expect(b.client.explainInstance({ instanceId: 'nobody' }, world.options)).rejects.toMatchObject({
      code: Code.NotFound,
    });
  });
});

describe('edits, pauses and ends', () => {
  test('an edit takes over a flat instance at once and waits for an open position; a pinned one stays', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const follows = await world.activate(replica, 's1');
    const pinned = await world.activate(replica, 's1', { pinned: true });
    event(1, 150, 6);
    event(2, 90);
    const enter = await world.intent('ENTER', 2);
    const [mine = enter] = world.neighbours.session.intents.filter(
      ({ instanceId, section }) => instanceId === follows.id && section === Section.Z1_ENTRY,
    );
    await world.report(replica, mine, 'OPENED');
    await world.state(replica, follows.id, 'POSITION_ACTIVE');
    world.save('s1', pumpStrategy({ exitAbove: 1_000 }));
    event(3, 250);
    await world.report(replica, await world.intent('EXIT'), 'CLOSED');
    const after = await until(async () => {
      const instance = await world.instance(replica, follows.id);
      return instance.runningRevision === 2n && instance;
    }, 'revision 2 after the exit');
    expect(after.state).toBe(InstanceState.MONITORING);
    expect((await world.instance(replica, pinned.id)).runningRevision).toBe(1n);
    const exited = (await world.evaluations(replica, 7)).find(({ toState }) => toState === InstanceState.EXITED);
    expect(exited?.revision).toBe(1n);
  });

  test('a paused instance records what it held back, once, and goes on when it may', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(replica, 's1', { paused: true });
    event(1, 150, 6);
    event(2, 150, 7);
    const [blocked] = await world.evaluations(replica, 1);
    expect([shortly(blocked ?? expect.fail()), blocked?.blocked]).toEqual([
      'MONITORING>blocked s1_signal paused',
      true,
    ]);
    await replica.client.pauseInstances({ instanceIds: [id], paused: false }, world.options);
    await until(async () => !(await world.instance(replica, id)).paused, 'not paused');
    await until(() => {
      event(3, 150, 8);
      return world.neighbours.session.intents.length > 0;
    }, 'a signal');
    expect((await world.evaluations(replica, 2)).map(shortly)[1]).toBe(TRADE[0]);
  });

  test('one that is to end when it is flat finishes its position; one that is to end now ends', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(replica, 's1');
    const now = await world.activate(replica, 's1');
    const { client } = replica;
    const { instances: ended } = await client.deactivateInstances({ instanceIds: [now.id] }, world.options);
    expect(ended.map(statusOf)).toEqual(['INACTIVE']);
    event(1, 150, 6);
    event(2, 90);
    await world.report(replica, await world.intent('ENTER'), 'OPENED');
    await world.state(replica, id, 'POSITION_ACTIVE');
    const { instances } = await client.deactivateInstances({ instanceIds: [id], whenFlat: true }, world.options);
    expect(instances.map(statusOf)).toEqual(['CLOSING']);
    event(3, 250);
    await world.report(replica, await world.intent('EXIT'), 'CLOSED');
    await until(async () => statusOf(await world.instance(replica, id)) === 'INACTIVE', 'INACTIVE');
    expect(world.neighbours.session.intents.some(({ instanceId }) => instanceId === now.id)).toBe(false);
  });

  test('blind inputs are told once, hold signals back, and fresh ones are told, too', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const { id } = await world.activate(replica, 's1');
    const { market } = world.neighbours;
    await until(async () => (await world.instance(replica, id)).freshness === Freshness.FRESH, 'fresh inputs');
    market.freshness(SYMBOL, Freshness.BLIND);
    await world.intent('INPUT_BLIND');
    event(1, 150, 6);
    const [blocked] = await world.evaluations(replica, 1);
    expect(shortly(blocked ?? expect.fail())).toBe('MONITORING>blocked s1_signal stale_inputs');
    const { sentence } = await replica.client.explainInstance({ instanceId: id }, world.options);
    expect(sentence).toBe(`takes no signals: there are no prices of ${SYMBOL}`);
    market.freshness(SYMBOL, Freshness.STALE);
    market.freshness(SYMBOL, Freshness.FRESH);
    await world.intent('INPUT_FRESH');
    event(2, 150, 6);
    await world.intent('SIGNAL');
    expect(world.neighbours.session.intents).toHaveLength(3);
  });

  test('what cannot be read is set aside with the reason, and stops nothing else', async () => {
    const a = await world.replica('a');
    world.save('s1', pumpStrategy());
    const spoilt = await world.activate(a, 's1');
    const sound = await world.activate(a, 's1');
    await a.stop();
    await world.sql(`UPDATE evaluator.instance SET data = '{"state": "DREAMING"}' WHERE id = $1`, [spoilt.id]);
    const b = await world.replica('b');
    await until(async () => statusOf(await world.instance(b, spoilt.id)) === 'FAILED', 'the spoilt one FAILED');
    expect((await world.instance(b, spoilt.id)).fault).toMatch(/cannot be read/);
    await until(async () => (await world.instance(b, sound.id)).replicaId === 'b', 'the sound one taken over');
  });
});
