import { expect, test } from 'vitest';
import { compileStrategy } from './compiled-strategy.ts';
import { newInstance, type Step } from './instance.ts';
import { InstanceMachine } from './instance-machine.ts';
import type { StrategyRules } from './strategy-rules.ts';
import { type Member, SymbolBook } from './symbol-book.ts';

/** A signal at each event above 0, given up after two minutes; five more until the next. */
const RULES: StrategyRules = {
  strategyName: 'gives up',
  s1Signal: { conditions: [{ id: 'a', indicatorId: 'a', operator: '>', value: 0 }] },
  o1Cancel: { conditions: [], timeoutSeconds: 120, cooldownMinutes: 5 },
};
const strategy = compileStrategy(RULES);
const SIGNAL = Float64Array.of(1);
const NONE = Float64Array.of(0);
const at = (minute: number, sequence: number) => ({ sequence, timeMs: minute * 60_000, price: String(minute) });

/** Where a step went, in which minute of market time, and at which price. */
function told({ records }: Pick<Step, 'records'>): unknown[] {
  return records.map(({ to, timeMs, price }) => [to, timeMs / 60_000, price]);
}

function signalled(): InstanceMachine {
  const machine = new InstanceMachine({ instanceId: 'i', strategy, revision: 1, indicatorIds: ['a'] });
  machine.event(at(1, 1), SIGNAL);
  return machine;
}

function follow(steps: Step[]): SymbolBook<Member> {
  const book = new SymbolBook<Member>((_, step) => steps.push(step));
  book.add({
    data: newInstance('i', 1),
    strategyKey: 'k',
    strategy,
    paused: false,
    through: { sequence: 0, timeMs: 0 },
  });
  return book;
}

const BETWEEN = [
  ['SIGNAL_CANCELLED', 3, '1'],
  ['MONITORING', 8, '1'],
];

test('a timer that fell due before an event is told at the price before it, as by the clock', () => {
  expect(told(signalled().event(at(60, 2), NONE))).toEqual(BETWEEN);
  expect(told(signalled().clock(60 * 60_000))).toEqual(BETWEEN);
});

test('a cooldown that ends with an event is told at its price', () => {
  const ended = [BETWEEN[0], ['MONITORING', 8, '8']];
  expect(told(signalled().event(at(8, 2), NONE))).toEqual(ended);
});

test('a timer that fell due a millisecond before an event is told at the price before it', () => {
  const event = { ...at(3, 2), timeMs: 3 * 60_000 + 1 };
  expect(told(signalled().event(event, NONE))).toEqual([BETWEEN[0]]);
});

test('an instance that runs on a symbol tells the same', () => {
  const steps: Step[] = [];
  const book = follow(steps);
  const slots = Int32Array.of(book.slotOf('a'));
  book.event(at(1, 1), slots, SIGNAL);
  book.event(at(60, 2), slots, NONE);
  expect(steps.flatMap(told)).toEqual([['SIGNAL_DETECTED', 1, '1'], ...BETWEEN]);
});

test('a price that came after the timer is never taken for the one before it', () => {
  const steps: Step[] = [];
  const book = follow(steps);
  const slots = Int32Array.of(book.slotOf('a'));
  book.event(at(1, 1), slots, SIGNAL);
  const [member] = book.members();
  if (member === undefined) throw new Error('the instance is there');
  // Its new owner has looked at later events for others, and goes back for it.
  const other = follow(steps);
  other.event(at(70, 9), slots, NONE);
  other.rewind(1, 60_000);
  other.add({ ...member, through: { sequence: 1, timeMs: 60_000 } });
  steps.length = 0;
  other.event(at(60, 2), slots, NONE);
  expect(steps.flatMap(told)).toEqual([
    ['SIGNAL_CANCELLED', 3, ''],
    ['MONITORING', 8, ''],
  ]);
});
