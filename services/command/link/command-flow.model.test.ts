import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { End } from '../../../test/harness/flow-agent.ts';
import { LEDGER_PARTS } from '../../../test/harness/flow-ledger.ts';
import { FlowWorld, settled } from '../../../test/harness/flow-world.ts';
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
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('issue_here', 'issue_elsewhere'), pick, flag: fc.boolean() }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ type: fc.constantFrom('insert', 'change', 'read'), pick, flag: fc.boolean() }),
  },
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
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('answer_lost', 'lost_arrives', 'reconnect', 'other_journal'),
      pick,
      flag: fc.boolean(),
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

async function perform(world: FlowWorld, { type, pick: n, flag }: Operation): Promise<void> {
  const [kind, key] = CASES[n % CASES.length] ?? ['ping', ''];
  switch (type) {
    case 'issue_here':
      world.issueHere(kind, key, 1 + (n % 3));
      return;
    case 'issue_elsewhere':
      world.issueElsewhere(kind, key, 1 + (n % 3));
      return;
    case 'insert':
    case 'change':
    case 'read':
      world.ledger(type, flag ? 1 : 100);
      return;
    case 'answer_lost':
      world.lose(flag ? 'insert' : 'change');
      return;
    case 'lost_arrives':
      world.arrive(flag);
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
      await world.reconnect();
      if (flag) world.begin();
      return;
    case 'other_journal':
      await world.reconnect(`journal-${world.clock.nowMs()}-${n}`);
      if (flag) world.begin();
      return;
    default:
      return type satisfies never;
  }
}

/** A slow part of the ledger takes one step of so many. */
const SLOWNESS = 5;
/** Simulated ticks in which everything must end: two minutes, far less than the hour after which it would expire. */
const REST_ROUNDS_MAX = 480;

test('whatever happens and in whatever order, every promise of a stream holds and everything ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(operation, { maxLength: 80, size: 'max' }),
      fc.constantFrom(undefined, ...LEDGER_PARTS),
      async (window, path, slow) => {
        const world = new FlowWorld(window);
        for (const step of path) {
          // Much happens beside one of its steps.
          if (step.type === slow && step.pick % SLOWNESS > 0) continue;
          await perform(world, step);
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
