import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseOrderingKey, relatedKeys } from './ordering-key.ts';
import { Schedule, type Scheduled } from './schedule.ts';

/** The rule as it is spoken: lists, every pair compared, nothing clever. */
class ScheduleModel {
  waiting: Scheduled[] = [];
  running: Scheduled[] = [];
  readonly #concurrencyMax: number;

  constructor(concurrencyMax: number) {
    this.#concurrencyMax = concurrencyMax;
  }

  /** What must start next; undefined when nothing may. */
  next(): Scheduled | undefined {
    const ready = this.waiting.filter((item) => this.#mayStart(item));
    return ready.toSorted(
      (a, b) =>
        Number(b.overtakes) - Number(a.overtakes) ||
        b.lane - a.lane ||
        a.sequence - b.sequence ||
        (a.id < b.id ? -1 : 1),
    )[0];
  }

  #mayStart(item: Scheduled): boolean {
    if (item.overtakes) return true;
    if (this.running.length >= this.#concurrencyMax) return false;
    const ahead = this.waiting.filter(
      (other) => other.sequence < item.sequence || (other.sequence === item.sequence && other.id < item.id),
    );
    return ![...this.running, ...ahead].some((other) => related(other, item));
  }
}

function related(a: Scheduled, b: Scheduled): boolean {
  const left = parseOrderingKey(a.orderingKey);
  const right = parseOrderingKey(b.orderingKey);
  return left !== undefined && right !== undefined && relatedKeys(left, right);
}

const segment = fc.constantFrom('a', 'b');
const orderingKey = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constant('/') },
  { weight: 3, arbitrary: segment.map((s) => `/${s}`) },
  { weight: 6, arbitrary: fc.tuple(segment, segment, segment).map((parts) => `/${parts.join('/')}`) },
);

type Step =
  | {
      readonly do: 'add';
      readonly orderingKey: string;
      readonly sequence: number;
      readonly lane: number;
      readonly overtakes: boolean;
    }
  | { readonly do: 'take' }
  | { readonly do: 'finish' | 'cancel'; readonly pick: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      orderingKey,
      sequence: fc.integer({ min: 1, max: 40 }),
      lane: fc.integer({ min: 1, max: 3 }),
      overtakes: fc.integer({ min: 0, max: 14 }).map((n) => n === 0),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'take' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick: fc.nat() }) },
);

/** Takes from both until neither gives anything more, finishing in between, so that nothing can be stuck. */
function drain(schedule: Schedule<Scheduled>, model: ScheduleModel): void {
  for (;;) {
    const expected = model.next();
    expect(schedule.take()?.id).toBe(expected?.id);
    if (expected !== undefined) {
      model.waiting = model.waiting.filter((item) => item !== expected);
      model.running.push(expected);
      continue;
    }
    const done = model.running.shift();
    if (done === undefined) return;
    schedule.remove(done);
  }
}

describe('Schedule', () => {
  test('starts exactly what the spoken rule starts, in its order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (steps, concurrencyMax) => {
        const schedule = new Schedule<Scheduled>(concurrencyMax);
        const model = new ScheduleModel(concurrencyMax);
        for (const [at, action] of steps.entries()) {
          if (action.do === 'add') {
            const item = { ...action, id: String(at).padStart(3, '0') };
            schedule.add(item);
            model.waiting.push(item);
          } else if (action.do === 'take') {
            const expected = model.next();
            expect(schedule.take()?.id).toBe(expected?.id);
            if (expected === undefined) continue;
            model.waiting = model.waiting.filter((item) => item !== expected);
            model.running.push(expected);
          } else {
            const from = action.do === 'finish' ? model.running : model.waiting;
            const item = from[action.pick % Math.max(from.length, 1)];
            if (item === undefined) continue;
            from.splice(from.indexOf(item), 1);
            schedule.remove(item);
          }
          expect(schedule.running).toBe(model.running.length);
          expect(schedule.waiting).toBe(model.waiting.length);
        }
        drain(schedule, model);
        expect(schedule.waiting).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a command that was running at the restart holds its key', () => {
    const schedule = new Schedule<Scheduled>(8);
    const before = scheduled('before', '/s/x/BTC', 1);
    const after = scheduled('after', '/s', 2);
    schedule.addRunning(before);
    schedule.add(after);
    expect(schedule.take()).toBeUndefined();
    schedule.remove(before);
    expect(schedule.take()).toBe(after);
  });

  test('lists what waits within a key', () => {
    const schedule = new Schedule<Scheduled>(1);
    for (const [at, key] of ['/s', '/s/x/BTC', '/t', '/'].entries()) schedule.add(scheduled(`c${at}`, key, at));
    const within = (path: string[]) => schedule.waitingWithin(path).map((waiting) => waiting.id);
    expect(within(['s']).toSorted()).toEqual(['c0', 'c1']);
    expect(within([]).toSorted()).toEqual(['c0', 'c1', 'c2', 'c3']);
    expect(within(['unknown'])).toEqual([]);
  });

  test('10 000 waiting commands with executor-wide ones between them are worked off without looking at all of them each time', () => {
    const schedule = new Schedule<Scheduled>(64);
    const count = 10_000;
    for (let n = 0; n < count; n++) schedule.add(scheduled(`c${n}`, n % 2 === 0 ? '/' : `/s${n}/x/BTC`, n));
    const order: number[] = [];
    for (let next = schedule.take(); next !== undefined; next = schedule.take()) {
      order.push(next.sequence);
      schedule.remove(next);
    }
    expect(order).toEqual([...Array(count).keys()]);
  });
});

function scheduled(id: string, key: string, sequence: number): Scheduled {
  return { id, orderingKey: key, sequence, lane: 1, overtakes: false };
}
