import { describe, expect, test } from 'vitest';
import { looked, stateOf, stepped, withOneSent, written } from '../../../test/harness/flow-scenes.ts';
import { FlowWorld, settled } from '../../../test/harness/flow-world.ts';
import { sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';

const SUCCESS = { state: 'SUCCEEDED', passing: false } as const;

describe('credits and order', () => {
  test('the window is never exceeded, and what is freed is used at once', async () => {
    const world = new FlowWorld(2);
    const ids = [1, 2, 3, 4, 5].map(() => world.issueHere('ping', ''));
    await written(world);
    expect(world.sent).toEqual(ids.slice(0, 2));
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(world.sent).toEqual(ids.slice(0, 4));
    world.setWindow(0);
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(world.sent).toEqual(ids.slice(0, 4));
    world.setWindow(1);
    await written(world);
    expect(world.sent).toEqual(ids);
  });

  test.each(['here', 'elsewhere'] as const)('the kill switch waits for no credit (issued %s)', async (where) => {
    const world = new FlowWorld(1);
    const busy = world.issueHere('open_position', '/s1/a/X');
    const waits = world.issueHere('close_position', '/s2/a/X');
    await written(world);
    const stop = where === 'here' ? world.issueHere('stop_all', '/') : world.issueElsewhere('stop_all', '/');
    await written(world);
    world.sync();
    await written(world);
    expect(world.sent).toEqual([busy, stop]);
    expect(stateOf(world, waits)).toBe('PENDING');
  });

  test('an agent that takes nothing at all is left alone, also by the kill switch', async () => {
    const world = new FlowWorld(0);
    const stop = world.issueHere('stop_all', '/');
    await written(world);
    expect(world.sent).toEqual([]);
    world.setWindow(1);
    await written(world);
    expect(world.sent).toEqual([stop]);
  });

  test('of commands that are stored together, none overtakes a related one that has to wait', async () => {
    const world = new FlowWorld(10);
    const entry = world.issueHere('open_position', '/s1/a/X');
    const stop = world.issueHere('stop_session', '/s1');
    const later = world.issueHere('open_position', '/s1/b/X');
    const unrelated = world.issueHere('open_position', '/s2/a/X');
    await written(world);
    expect(world.sent.toSorted()).toEqual([entry, unrelated].toSorted());
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(world.sent.at(-1)).toBe(stop);
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(world.sent.at(-1)).toBe(later);
    expect(world.violations).toEqual([]);
  });

  test('a place that was reserved under a number of somebody else disturbs nobody', async () => {
    const world = new FlowWorld(10);
    // Read for the new stream, and not yet learnt by the ledger; it waits for its next try.
    const waits = { sequence: 1, attempt: 1, failures: 1, retryMs: world.clock.nowMs() + 1_000 };
    const known = sampleCommand({ id: sampleId(50), orderingKey: '/s1/a/X' }, waits, world.clock.nowMs());
    world.commitElsewhere(known);
    world.flow.merge([known]);
    const mine = world.issueHere('open_position', '/s1/a/X');
    await written(world);
    expect(world.sent).toEqual([]);
    world.advance(1_000);
    await written(world);
    expect(world.sent).toEqual([known.id]);
    await world.rest(100);
    expect(world.sent).toEqual([known.id, mine]);
    expect(world.violations).toEqual([]);
    expect(world.flow.inFlight).toBe(0);
  });

  test("a place that was reserved is nobody's number, though a change takes numbers first", async () => {
    const world = new FlowWorld(1);
    const first = world.issueElsewhere('open_position', '/s1/a/X');
    await looked(world);
    const waits = world.issueHere('open_position', '/s1/a/X');
    const stop = world.issueHere('stop_all', '/');
    await stepped(world, ['insert', 'change', 'change', 'insert']);
    await written(world);
    expect(world.sent).toEqual([first, stop]);
    await world.rest(100);
    expect(world.sent).toEqual([first, stop, waits]);
    expect(world.violations).toEqual([]);
  });

  test('what others issue does not overtake a command whose answer takes longer than that of changes', async () => {
    const world = new FlowWorld(2);
    const busy = [world.issueHere('ping', ''), world.issueHere('ping', '')];
    await written(world);
    const mine = world.issueHere('open_position', '/s1/a/X');
    await stepped(world, ['insert', 'insert']);
    expect(stateOf(world, mine)).toBe('PENDING');
    world.agent.step(0, SUCCESS);
    world.agent.step(0, SUCCESS);
    world.agent.reportAll();
    await stepped(world, ['change', 'change', 'change']);
    const theirs = world.issueElsewhere('open_position', '/s1/a/X');
    world.agent.finishAll();
    world.agent.reportAll();
    await stepped(world, Array.from({ length: 6 }, () => ['change', 'read'] as const).flat());
    await world.rest(100);
    expect(world.sent).toEqual([...busy, mine, theirs]);
    expect(world.violations).toEqual([]);
  });

  test('an end that the platform decides lets the next one go only when it is stored', async () => {
    const { world, id } = await withOneSent();
    const next = world.issueElsewhere('close_position', '/s1/a/X');
    world.sync();
    await world.reconnect('another');
    world.begin();
    // Somebody else's change makes ours wait.
    world.change(id, { type: 'cancel_requested' }, false);
    await written(world, 3);
    expect(world.sent).toEqual([id]);
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.sent).toEqual([id, next]);
    expect(world.violations).toEqual([]);
  });

  test('what the agent cannot take is refused by name and makes way', async () => {
    const world = new FlowWorld();
    const unknown = world.issueHere('get_status', '');
    const known = world.issueHere('ping', '');
    await written(world);
    expect(stateOf(world, unknown)).toBe('REJECTED KIND_UNSUPPORTED');
    expect(world.sent).toEqual([known]);
  });

  test('thousands go through a small window, in order', async () => {
    const world = new FlowWorld(50);
    const ids = Array.from({ length: 2_000 }, (_, i) => world.issueHere('open_position', `/s1/a/${i % 100}`));
    for (let round = 0; world.acknowledged.length < ids.length && round < 1_000; round++) {
      await written(world, 3);
      world.agent.finishAll();
      world.agent.reportAll();
    }
    expect(world.sent.toSorted()).toEqual(ids.toSorted());
    expect(world.violations).toEqual([]);
    expect(world.flow.size).toBe(0);
  });
});

describe('while the database is slow or refuses', () => {
  test('a place that was reserved and given back leaves the window as it was', async () => {
    const world = new FlowWorld(1);
    world.issueHere('ping', '');
    await written(world, 1);
    expect(world.flow.inFlight).toBe(1);
    world.issueElsewhere('get_status', '');
    // Longer than the receipt may take: there is nothing yet to wait a receipt for.
    world.advance(6_000);
    await settled();
    await written(world);
    world.sync();
    await written(world);
    expect(world.flow.inFlight).toBe(1);
    expect(world.sent.length).toBe(1);
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(world.flow.inFlight).toBe(0);
    expect([...world.store.values()].map(({ attempt }) => attempt)).toEqual([0, 1]);
  });

  test('a write that takes minutes is one write: attempts count what went to the stream', async () => {
    const world = new FlowWorld();
    const id = world.issueElsewhere('open_position', '/s1/a/X');
    await looked(world);
    for (let second = 0; second < 120; second++) {
      world.advance(1_000);
      await settled();
    }
    await written(world, 2);
    await written(world);
    expect(world.store.get(id)).toMatchObject({ state: 'SENT', attempt: world.sent.length });
    expect(world.sent.length).toBeLessThanOrEqual(2);
  });

  test('a write that is refused is repeated: the command is not forgotten until it expires', async () => {
    const world = new FlowWorld();
    const id = world.issueElsewhere('stop_session', '/s1');
    world.rejectNext();
    world.sync();
    await written(world);
    expect(stateOf(world, id)).toBe('PENDING');
    expect(world.sent).toEqual([]);
    world.advance(500);
    await written(world);
    expect(world.sent).toEqual([id]);
  });

  test('a result whose write was refused is kept, stored and acknowledged; the key stays taken meanwhile', async () => {
    const { world, id } = await withOneSent();
    const next = world.issueElsewhere('stop_session', '/s1');
    await looked(world);
    world.agent.step(0, { state: 'SUCCEEDED', passing: false });
    world.rejectNext();
    world.agent.reportAll();
    await written(world);
    expect(world.sent).toEqual([id]);
    world.advance(1_000);
    await written(world);
    expect(stateOf(world, id)).toBe('RUNNING');
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(world.acknowledged).toEqual([id]);
    expect(world.sent).toEqual([id, next]);
  });

  test('a fact that is refused again and again is given up, not acknowledged, and asked for by the next write', async () => {
    const { world, id } = await withOneSent();
    world.agent.finishAll();
    world.agent.reportAll();
    for (let tries = 0; tries < 6; tries++) {
      world.rejectNext();
      await written(world);
      world.clock.advance(10_000);
    }
    await written(world);
    expect(stateOf(world, id)).toBe('SENT');
    expect(world.acknowledged).toEqual([]);
    await world.rest(100);
    expect(world.sent).toEqual([id, id]);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
    expect(world.acknowledged).toContain(id);
    expect(world.flow.size).toBe(0);
  });
});

describe('cancellation', () => {
  test('of what waits is final at once and nothing goes out, whoever asked', async () => {
    const world = new FlowWorld(0);
    const id = world.issueHere('open_position', '/s1/a/X');
    await written(world);
    world.change(id, { type: 'cancel_requested' }, true);
    world.setWindow(5);
    await written(world);
    expect(world.sent).toEqual([]);
    expect(stateOf(world, id)).toBe('CANCELLED CANCELLED');
    expect(world.flow.size).toBe(0);
  });

  test.each([true, false])(
    'that comes between the decision to send and its write wins (told at once: %s)',
    async (told) => {
      const world = new FlowWorld();
      const id = world.issueElsewhere('open_position', '/s1/a/X');
      await looked(world);
      world.change(id, { type: 'cancel_requested' }, told);
      await written(world);
      expect(world.sent).toEqual([]);
      expect(stateOf(world, id)).toBe('CANCELLED CANCELLED');
      expect(world.flow.inFlight).toBe(0);
    },
  );

  test.each([true, false])(
    'of what is with the agent is asked of it once, and its answer decides (told: %s)',
    async (told) => {
      const { world, id } = await withOneSent();
      world.change(id, { type: 'cancel_requested' }, told);
      if (!told) world.agent.arrive(0, false, world.clock.nowMs());
      await written(world);
      world.sync();
      await written(world);
      expect(world.cancelled).toEqual([id]);
      await world.rest(100);
      expect(stateOf(world, id)).toBe('SUCCEEDED');
    },
  );

  test('is asked again of the agent that comes back', async () => {
    const { world, id } = await withOneSent();
    world.agent.reportAll();
    await written(world);
    world.change(id, { type: 'cancel_requested' }, true);
    await world.reconnect();
    world.begin();
    expect(world.cancelled).toEqual([id, id]);
  });
});
