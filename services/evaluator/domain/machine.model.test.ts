import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PlainInput, PlainInstance } from '../../../test/harness/plain-instance.ts';
import { compileStrategy } from './compiled-strategy.ts';
import { type InstanceData, type IntentRecord, newInstance, type OutcomeRecord, type Step } from './instance.ts';
import { InstanceMachine } from './instance-machine.ts';
import type { StrategyRules } from './strategy-rules.ts';
import { type Member, SymbolBook } from './symbol-book.ts';

const IDS = ['a', 'b'] as const;
const START_MS = Date.UTC(2024, 0, 1);
/** Few values, so that conditions meet and equal ones occur. */
const number = fc.constantFrom(-1, 0, 0.5, 1, 2);

let next = 0;
const conditions = fc.array(
  fc
    .record({
      indicatorId: fc.constantFrom(...IDS),
      operator: fc.constantFrom('>', '>=', '<', '<=', '==', '!='),
      value: number,
    })
    .map((condition) => ({ ...condition, id: `c${next++}` })),
  { maxLength: 2 },
);
const minutes = fc.option(fc.constantFrom(0, 0.5, 1, 3), { nil: undefined });
const flag = fc.boolean();

const rules: fc.Arbitrary<StrategyRules> = fc.record({
  strategyName: fc.constant('any'),
  s1Signal: fc.record({ conditions }),
  z1Entry: fc.record({ conditions }),
  ze1Close: fc.record({ conditions }),
  o1Cancel: fc.record({
    conditions,
    timeoutSeconds: fc.option(fc.constantFrom(0, 30, 60, 90, 120), { nil: undefined }),
    cooldownMinutes: minutes,
  }),
  emergencyExit: fc.record({
    conditions,
    cooldownMinutes: minutes,
    actions: fc.option(fc.record({ cancelPending: flag, closePosition: flag }), { nil: undefined }),
  }),
});

interface Moment {
  readonly stepMs: number;
  readonly a: number;
  readonly b: number;
  readonly gate: '' | 'stale_inputs' | 'paused';
  readonly touched: '' | 'stop_loss' | 'take_profit';
  /** What the venue says after the event, if it is asked for something; undefined: nothing yet. */
  readonly good: boolean | undefined;
  readonly again: boolean;
  readonly clockMs: number | undefined;
}

const value = fc.oneof({ weight: 8, arbitrary: number }, { weight: 1, arbitrary: fc.constant(Number.NaN) });
const moments: fc.Arbitrary<Moment[]> = fc.array(
  fc.record({
    stepMs: fc.constantFrom(30_000, 60_000, 60_000, 180_000),
    a: value,
    b: value,
    gate: fc.constantFrom('', '', '', 'stale_inputs', 'paused'),
    touched: fc.constantFrom('', '', '', '', 'stop_loss', 'take_profit'),
    good: fc.constantFrom(true, true, false, undefined),
    again: flag,
    clockMs: fc.option(fc.constantFrom(1, 15_000, 30_000), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 60 },
);

/** One machine under test, fed like the plain one. */
interface Subject {
  readonly data: InstanceData;
  event(timeMs: number, sequence: number, values: readonly number[], gate: Moment['gate']): void;
  outcome(outcome: OutcomeRecord): void;
  again(timeMs: number): void;
  clock(timeMs: number): void;
}

function play(
  subject: Subject,
  plain: PlainInstance,
  script: readonly Moment[],
  intents: readonly IntentRecord[],
): void {
  let timeMs = START_MS;
  const both = (input: PlainInput, act: () => void): void => {
    plain.take(input);
    act();
    expect(subject.data.state).toBe(plain.state);
  };
  for (const [i, moment] of script.entries()) {
    const clockMs = moment.clockMs === undefined ? undefined : timeMs + moment.clockMs;
    if (clockMs !== undefined && clockMs < timeMs + moment.stepMs) {
      both({ kind: 'clock', timeMs: clockMs }, () => subject.clock(clockMs));
    }
    timeMs += moment.stepMs;
    const sequence = i + 1;
    const { a, b, gate, touched } = moment;
    const values = { a, b };
    // A venue's stop stands only while there is a position.
    const held = subject.data.state === 'POSITION_ACTIVE';
    both({ kind: 'event', timeMs, values, gate, touched }, () => {
      if (touched !== '' && held)
        subject.outcome(outcome('CLOSED', { section: touched, reason: touched, timeMs, sequence }));
      subject.event(timeMs, sequence, [a, b], gate);
    });
    if (moment.again) both({ kind: 'again' }, () => subject.again(timeMs));
    const { good } = moment;
    if (good === undefined || plain.owed === undefined) continue;
    const asked = intents.findLast(({ type }) => type === (plain.owed === 'entry' ? 'ENTER' : 'EXIT'))?.id ?? '';
    const type = plain.owed === 'entry' ? (good ? 'OPENED' : 'NOT_OPENED') : good ? 'CLOSED' : 'NOT_CLOSED';
    both({ kind: 'answer', good }, () => subject.outcome(outcome(type, { intentId: asked, section: 'venue', timeMs })));
  }
}

function outcome(type: OutcomeRecord['type'], more: Partial<OutcomeRecord>): OutcomeRecord {
  const nothing = { intentId: '', section: null, reason: '', message: '', price: '1', quantity: '1', timeMs: 0 };
  return { type, ...nothing, ...more };
}

/** Writes down what steps do, in the plain one's words. */
class Log {
  readonly records: string[] = [];
  readonly intents: IntentRecord[] = [];

  take(step: Step | null): void {
    for (const { timeMs, from, to, blocked, section, reason } of step?.records ?? []) {
      this.records.push(`${timeMs} ${from}>${blocked ? 'blocked' : to} ${section} ${reason}`);
    }
    this.intents.push(...(step?.intents ?? []));
  }

  get asked(): string[] {
    return this.intents.map(({ type, timeMs }) => `${type} ${timeMs}`);
  }
}

describe('against a second, plain implementation', () => {
  test('the machine of back-tests makes the same transitions and asks for the same', () => {
    fc.assert(
      fc.property(rules, moments, (given, script) => {
        const plain = new PlainInstance(given);
        const log = new Log();
        const machine = new InstanceMachine({
          instanceId: 'i',
          strategy: compileStrategy(given),
          revision: 1,
          indicatorIds: IDS,
        });
        const subject: Subject = {
          get data() {
            return machine.data;
          },
          event: (timeMs, sequence, values, gate) =>
            log.take(machine.event({ timeMs, sequence, price: '1' }, Float64Array.from(values), gate)),
          outcome: (each) => log.take(machine.outcome(each)),
          again: (timeMs) => log.take(machine.exitAgain(timeMs)),
          clock: (timeMs) => log.take(machine.clock(timeMs)),
        };
        play(subject, plain, script, log.intents);
        expect(log.records).toEqual(plain.log);
        expect(log.asked).toEqual(plain.asked);
      }),
      { numRuns: 3_000 },
    );
  });
});

/** Instances of a book as they are told of, each with its own log. */
class BookSubject {
  readonly logs = new Map<string, Log>();
  readonly book = new SymbolBook<Member>((member, step) => this.logs.get(member.data.instanceId)?.take(step));

  add(instanceId: string, strategy: StrategyRules, strategyKey: string): Member {
    const member: Member = {
      data: newInstance(instanceId, 1),
      strategyKey,
      strategy: compileStrategy(strategy),
      paused: false,
      through: { sequence: 0, timeMs: Number.NEGATIVE_INFINITY },
    };
    this.logs.set(instanceId, new Log());
    this.book.add(member);
    return member;
  }
}

describe('the index by symbol and indicator', () => {
  test('touches less and decides the same: many instances, shared strategies, unchanged values', () => {
    fc.assert(
      fc.property(fc.array(rules, { minLength: 1, maxLength: 4 }), moments, (strategies, script) => {
        const subject = new BookSubject();
        const plains = new Map<string, PlainInstance>();
        // Three of each strategy; those beyond the first join later, in another state than those that are there.
        const join = (round: number): void => {
          for (const [s, strategy] of strategies.entries()) {
            subject.add(`${s}/${round}`, strategy, `s${s}@1`);
            plains.set(`${s}/${round}`, new PlainInstance(strategy));
          }
        };
        let timeMs = START_MS;
        for (const [i, moment] of script.entries()) {
          if (i % 7 === 0 && i <= 14) join(i);
          timeMs += moment.stepMs;
          const slots = Int32Array.from(IDS, (id) => subject.book.slotOf(id));
          subject.book.event({ timeMs, sequence: i + 1, price: '1' }, slots, [moment.a, moment.b]);
          for (const plain of plains.values()) {
            plain.take({ kind: 'event', timeMs, values: { a: moment.a, b: moment.b }, gate: '', touched: '' });
          }
        }
        // Timers of instances that no later event has touched fire by the clock.
        subject.book.clock(timeMs);
        for (const [id, plain] of plains) {
          plain.take({ kind: 'clock', timeMs });
          expect({ id, log: subject.logs.get(id)?.records }).toEqual({ id, log: plain.log });
        }
      }),
      { numRuns: 500 },
    );
  });
});
