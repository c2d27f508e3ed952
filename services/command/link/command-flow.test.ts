import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { End } from '../../../test/harness/flow-agent.ts';
import { FlowWorld, settled } from '../../../test/harness/flow-world.ts';
import { sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import type { Kind } from '../domain/kind.ts';

const CASES: readonly (readonly [Kind, string])[] = [
  ['open_position', '/s1/a/X'],
  ['close_position', '/s1/a/X'],
  ['open_position', '/s1/b/X'],
  ['open_position', '/s2/a/X'],
  ['stop_session', '/s1'],
  ['pause', '/'],
  ['stop_all', '/'],
  ['ping', ''],
  // The agent does not take this one.
  ['get_status', ''],
];
const ENDS: readonly End[] = [
  { state: 'SUCCEEDED', passing: false },
  { state: 'FAILED', passing: false },
  { state: 'FAILED', passing: true },
  { state: 'REJECTED', passing: false },
  { state: 'OUTCOME_UNKNOWN', passing: false },
];

const pick = fc.nat(1_000);
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('issue_here', 'issue_elsewhere'), pick, flag: fc.boolean() }),
  },
  { weight: 9, arbitrary: fc.record({ type: fc.constant('ledger'), pick, flag: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('agent_step'), pick, flag: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('fact_arrives'), pick, flag: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('advance'), pick, flag: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom('progress', 'fact_lost', 'cancel', 'sync', 'sweep', 'reject', 'window', 'begin'),
      pick,
      flag: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('reconnect', 'other_journal'), pick, flag: fc.boolean() }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function perform(world: FlowWorld, { type, pick: n, flag }: Operation): void {
  const [kind, key] = CASES[n % CASES.length] ?? ['ping', ''];
  switch (type) {
    case 'issue_here':
      world.issueHere(kind, key, 1 + (n % 3));
      return;
    case 'issue_elsewhere':
      world.issueElsewhere(kind, key, 1 + (n % 3));
      return;
    case 'ledger':
      world.ledger(flag ? 1 : 100);
      return;
    case 'agent_step':
      world.agent.step(n, ENDS[n % ENDS.length] ?? { state: 'SUCCEEDED', passing: false });
      return;
    case 'fact_arrives':
      world.agent.arrive(n, flag && n % 3 === 0, world.clock.nowMs());
      return;
    case 'advance':
      world.advance(flag ? n * 20 : n % 300);
      return;
    case 'progress':
      world.agent.progress(n);
      return;
    case 'fact_lost':
      world.agent.lose(n);
      return;
    case 'cancel': {
      const open = world.open();
      const command = open[n % Math.max(1, open.length)];
      if (command !== undefined) world.change(command.id, { type: 'cancel_requested' }, flag);
      return;
    }
    case 'sync':
      world.sync();
      return;
    case 'sweep':
      world.sweep();
      return;
    case 'reject':
      world.rejectNext();
      return;
    case 'window':
      world.setWindow(n % 4);
      return;
    case 'begin':
      world.begin();
      return;
    case 'reconnect':
      world.reconnect();
      if (flag) world.begin();
      return;
    case 'other_journal':
      world.reconnect(`journal-${world.clock.nowMs()}-${n}`);
      if (flag) world.begin();
      return;
    default:
      return type satisfies never;
  }
}

/** Simulated ticks in which everything must end: two minutes, far less than the hour after which it would expire. */
const REST_ROUNDS_MAX = 480;

test('whatever happens and in whatever order, every promise of a stream holds and everything ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(operation, { maxLength: 80, size: 'max' }),
      async (window, path) => {
        const world = new FlowWorld(window);
        for (const step of path) {
          perform(world, step);
          await settled();
          expect(world.violations).toEqual([]);
        }
        await world.rest(REST_ROUNDS_MAX);
        expect(world.violations).toEqual([]);
        expect(world.open().map(({ id, state }) => `${id} ${state}`)).toEqual([]);
        expect(world.flow.size).toBe(0);
        expect(world.flow.inFlight).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);

/** Lets the ledger write until nothing is left to be written. */
async function written(world: FlowWorld, phases = 12): Promise<void> {
  for (let phase = 0; phase < phases; phase++) {
    world.ledger();
    await settled();
  }
}

/** A world in which one command has been sent and nothing more. */
async function withOneSent(kind: Kind = 'open_position'): Promise<{ world: FlowWorld; id: string }> {
  const world = new FlowWorld();
  const id = world.issueHere(kind, '/s1/a/X');
  await written(world);
  expect(world.sent).toEqual([id]);
  return { world, id };
}

function stateOf(world: FlowWorld, id: string): string {
  const { state = 'absent', error } = world.store.get(id) ?? {};
  return error === null || error === undefined ? state : `${state} ${error.reason}`;
}

describe('what is said rests on what is stored', () => {
  test('a command goes out when it is stored as sent, not before', async () => {
    const world = new FlowWorld();
    const id = world.issueHere('open_position', '/s1/a/X');
    world.ledger();
    await settled();
    expect(world.flow.inFlight).toBe(1);
    expect(world.sent).toEqual([]);
    await written(world);
    expect(world.sent).toEqual([id]);
  });

  test('a result is acknowledged when it is stored, each time it is repeated, and never without', async () => {
    const { world, id } = await withOneSent();
    world.agent.finishAll();
    world.agent.arrive(world.agent.waiting - 1, true, world.clock.nowMs());
    await settled();
    expect(world.acknowledged).toEqual([]);
    await written(world);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
    expect(world.acknowledged).toEqual([id]);
    world.agent.arrive(world.agent.waiting - 1, false, world.clock.nowMs());
    await written(world);
    expect(world.acknowledged).toEqual([id, id]);
    expect(world.flow.size).toBe(0);
  });

  test('under an older epoch nothing is written, delivered or acknowledged, and the stream is looked at', async () => {
    const { world, id } = await withOneSent();
    const { flow } = world;
    world.reconnect();
    flow.report([{ commandId: id, event: { type: 'received', atMs: world.clock.nowMs() } }]);
    await written(world);
    expect(world.fencedCalls).toBe(1);
    expect(stateOf(world, id)).toBe('SENT');
    expect(world.acknowledged).toEqual([]);
  });

  test('a result of a command of somebody else is acknowledged, for it can never be stored, and changes nothing', async () => {
    const world = new FlowWorld();
    const foreign = { ...sampleCommand({ id: sampleId(77) }), executorId: sampleId(99) };
    world.commitElsewhere(foreign);
    const finished = { type: 'finished', atMs: 0, attempt: 1, state: 'SUCCEEDED', result: null, error: null } as const;
    world.flow.report([{ commandId: foreign.id, event: finished }]);
    await written(world);
    expect(world.acknowledged).toEqual([foreign.id]);
    expect(stateOf(world, foreign.id)).toBe('PENDING');
    expect(world.flow.size).toBe(0);
  });
});

describe('a new stream', () => {
  test('judges nothing that was sent before until both sides have compared their journals', async () => {
    const { world, id } = await withOneSent();
    world.reconnect('another');
    world.flow.merge([...world.store.values()]);
    world.advance(60_000);
    await written(world);
    expect(stateOf(world, id)).toBe('SENT');
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.sent).toEqual([id]);
  });

  test('sends again what the same journal has not received, and takes up what it has', async () => {
    const { world, id } = await withOneSent();
    const second = world.issueElsewhere('ping', '');
    world.sync();
    await written(world);
    expect(world.sent).toEqual([id, second]);
    world.agent.replace('journal-1');
    world.reconnect();
    world.begin();
    await written(world);
    expect(world.sent).toEqual([id, second, id, second]);
    world.agent.step(0, { state: 'SUCCEEDED', passing: false });
    world.reconnect();
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('RUNNING');
    expect(stateOf(world, second)).toBe('RECEIVED');
    expect(world.sent.length).toBe(4);
  });

  test('asks only the journal that can know what became of an unknown outcome', async () => {
    const { world, id } = await withOneSent();
    world.reconnect('another');
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    world.reconnect();
    world.begin();
    expect(world.inquired).toEqual([]);
    world.reconnect('journal-1');
    world.begin();
    expect(world.inquired).toEqual([id]);
  });

  test('takes no "not found" from a journal that the command was never sent to', async () => {
    const { world, id } = await withOneSent();
    world.reconnect('another');
    world.begin();
    await written(world);
    world.flow.report([{ commandId: id, event: { type: 'not_found' } }]);
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.flow.size).toBe(0);
  });

  test('does not send what an older stream of another journal is found to have sent, however late', async () => {
    const world = new FlowWorld();
    world.reconnect('another');
    world.begin();
    const late = {
      state: 'SENT',
      streamEpoch: 1,
      journalId: 'journal-1',
      sentMs: world.clock.nowMs(),
      attempt: 1,
    } as const;
    const nowMs = world.clock.nowMs();
    const command = { ...sampleCommand({ id: sampleId(5) }, { sequence: 1 }, nowMs), ...late, dueMs: nowMs + 5_000 };
    world.commitElsewhere(command);
    world.sync();
    await written(world);
    expect(stateOf(world, command.id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.sent).toEqual([]);
  });

  test('that is being handed over sends nothing more, not even again, and takes what is reported', async () => {
    const { world, id } = await withOneSent();
    world.flow.hold();
    const waiting = world.issueHere('ping', '');
    await written(world);
    world.advance(5_000);
    await written(world);
    expect(world.sent).toEqual([id]);
    expect(stateOf(world, waiting)).toBe('PENDING');
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
  });
});

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

  test('an end that the platform decides lets the next one go only when it is stored', async () => {
    const { world, id } = await withOneSent();
    const next = world.issueElsewhere('close_position', '/s1/a/X');
    world.sync();
    world.reconnect('another');
    world.begin();
    // Somebody else's change makes ours wait.
    world.change(id, { type: 'cancel_requested' }, false);
    world.ledger();
    world.ledger();
    world.ledger();
    await settled();
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
    world.ledger();
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
    world.sync();
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
    world.sync();
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
      world.sync();
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
    world.reconnect();
    world.begin();
    expect(world.cancelled).toEqual([id, id]);
  });
});
