import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STEPS, type SessionState } from './session-state.ts';
import { type Batch, INSTANCES_MAX, planBatch, settleStart } from './starting.ts';
import { stopSession } from './stopping.ts';
import { later, NOW_MS, observe, running, starting, startRequestId } from './test-session.ts';

function applied(draft: ReturnType<typeof starting>, name: string): void {
  const activation = draft.activations.find(({ strategyName }) => strategyName === name);
  draft.setActivation(activation?.instanceId ?? '', { applied: true, told: 'RUN' });
}

function startOf(draft: ReturnType<typeof starting>, name: string): string {
  return draft.activations.find(({ strategyName }) => strategyName === name)?.startRequestId ?? '';
}

function states(draft: ReturnType<typeof starting>): Record<string, string> {
  return Object.fromEntries(draft.activations.map(({ strategyName, state }) => [strategyName, state]));
}

describe('a start', () => {
  test('is ACTIVE only when evaluator and executor have confirmed every strategy, in whatever order', () => {
    const steps = ['session', 'start a', 'start b', 'applied a', 'applied b'] as const;
    fc.assert(
      fc.property(fc.shuffledSubarray([...steps], { minLength: steps.length }), (order) => {
        const draft = starting(['a', 'b']);
        for (const [index, step] of order.entries()) {
          expect(draft.session.state).toBe('STARTING');
          if (step === 'session') observe(draft, startRequestId(draft), {});
          else if (step.startsWith('start')) observe(draft, startOf(draft, step.slice(-1)), {});
          else {
            applied(draft, step.slice(-1));
            settleStart(draft);
          }
          expect(states(draft)['a']).toBe(index === order.length - 1 ? 'ACTIVE' : 'PENDING');
        }
        expect(draft.session.state).toBe('ACTIVE');
      }),
    );
  });

  test('fails as a whole with what one strategy lacks, and wants the session stopped', () => {
    const draft = starting(['a', 'b']);
    observe(draft, startRequestId(draft), {});
    observe(draft, startOf(draft, 'a'), {});
    applied(draft, 'a');
    observe(draft, startOf(draft, 'b'), { state: 'REJECTED', message: 'this symbol is not traded here' });
    expect(draft.session.state).toBe('FAILED');
    expect(states(draft)).toEqual({ a: 'FAILED', b: 'FAILED' });
    expect(draft.session.reason).toContain('this symbol is not traded here');
    expect(draft.activations.map(({ wanted }) => wanted)).toEqual(['END', 'END']);
    const stop = draft.commands.find(({ purpose }) => purpose === 'STOP_SESSION');
    expect(stop?.wish).toMatchObject({ type: 'STOP_SESSION', closePositions: true });
  });

  test('with allow_partial is ACTIVE with those that could be activated', () => {
    const draft = starting(['a', 'b'], { allowPartial: true });
    observe(draft, startRequestId(draft), {});
    observe(draft, startOf(draft, 'b'), { state: 'EXPIRED' });
    expect(draft.session.state).toBe('STARTING');
    applied(draft, 'a');
    observe(draft, startOf(draft, 'a'), {});
    expect(draft.session.state).toBe('ACTIVE');
    expect(states(draft)).toEqual({ a: 'ACTIVE', b: 'FAILED' });
    expect(draft.commands.some(({ purpose }) => purpose === 'STOP_STRATEGY')).toBe(true);
  });

  test('with allow_partial and nothing that could be activated is FAILED', () => {
    const draft = starting(['a'], { allowPartial: true });
    observe(draft, startRequestId(draft), { state: 'REFUSED', message: 'the executor is disabled' });
    expect(draft.session.state).toBe('FAILED');
  });

  test('that was asked for before the clock was set back by hours has no later deadline; one of a replica ahead has its time', () => {
    const [apart, back] = [-200, -7_200_000].map((ms) => later(starting(['a']), ms));
    for (const draft of [apart, back]) if (draft !== undefined) settleStart(draft);
    expect([apart?.session.state, back?.session.state]).toEqual(['STARTING', 'FAILED']);
  });

  test('that nobody answers fails at its deadline, and not before', () => {
    const draft = later(starting(['a']), 19_999);
    settleStart(draft);
    expect(draft.session.state).toBe('STARTING');
    const late = later(draft, 1);
    settleStart(late);
    expect(late.session.state).toBe('FAILED');
    expect(late.activations[0]?.missing).toEqual([
      'executor vps-1 has not confirmed the session yet (the command is WANTED)',
      'executor vps-1 has not confirmed revision 3 yet (the command is WANTED)',
      'no evaluator has applied revision 3 yet',
    ]);
  });

  test('is not brought back by an answer that comes after its end', () => {
    const draft = later(starting(['a']), 20_000);
    settleStart(draft);
    applied(draft, 'a');
    for (const { requestId, purpose } of draft.commands) if (purpose !== 'STOP_SESSION') observe(draft, requestId, {});
    expect(draft.session.state).toBe('FAILED');
    expect(states(draft)).toEqual({ a: 'FAILED' });
  });
});

describe('a stop', () => {
  test('that did not succeed is wanted again, under another request id', () => {
    const draft = running();
    stopSession(draft, false, 'stopped by tester');
    const first = draft.commands.find(({ purpose }) => purpose === 'STOP_SESSION');
    observe(draft, first?.requestId ?? '', { state: 'FAILED', message: 'the venue is away' });
    const stops = draft.commands.filter(({ purpose }) => purpose === 'STOP_SESSION');
    expect(stops.map(({ state }) => state)).toEqual(['FAILED', 'WANTED']);
    expect(draft.session).toMatchObject({ state: 'STOPPING', reason: 'the stop is repeated: the venue is away' });
    observe(draft, stops[1]?.requestId ?? '', {});
    expect(draft.session.state).toBe('STOPPED');
  });

  test('that never succeeds is repeated with growing pauses', () => {
    const draft = running();
    stopSession(draft, false, 'stopped by tester');
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const stop = draft.commands.findLast(({ purpose }) => purpose === 'STOP_SESSION');
      pauses.push((stop?.createTimeMs ?? 0) - draft.nowMs);
      observe(draft, stop?.requestId ?? '', { state: 'REJECTED', message: 'the market is closed' });
    }
    expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 8_000, 10_000]);
  });

  test('is the same when it is asked for twice', () => {
    const draft = running();
    stopSession(draft, true, 'once');
    const before = draft.commands.length;
    stopSession(draft, true, 'twice');
    expect(draft.commands).toHaveLength(before);
    expect(draft.session.reason).toBe('once');
  });
});

describe('the life of a session', () => {
  test('has ends that nothing leaves', () => {
    const ends = Object.entries(STEPS).filter(([, next]) => next.length === 0);
    expect(ends.map(([state]) => state)).toEqual(['STOPPED', 'FAILED', 'COMPLETED']);
  });

  const all: SessionState[] = ['STARTING', 'ACTIVE', 'PAUSED', 'STOPPING', 'STOPPED', 'FAILED', 'COMPLETED'];
  const wrong = all.flatMap((from) =>
    all.filter((to) => to !== from && !STEPS[from].includes(to)).map((to) => [from, to] as const),
  );
  test.each(wrong)('has no step from %s to %s', (from, to) => {
    const draft = starting(['a'], { state: from });
    expect(() => draft.step(to, '')).toThrow(`cannot go from ${from} to ${to}`);
  });

  test('numbers its changes one by one, each thing last where it changed last', () => {
    const draft = running({ version: 41 });
    const changes = draft.result()?.changes ?? [];
    expect(changes.map(({ number }) => number)).toEqual(changes.map((_, index) => 42 + index));
    expect(new Set(changes.map(({ kind, subjectId }) => `${kind} ${subjectId}`)).size).toBe(changes.length);
    expect(draft.result()?.session[0]?.startTimeMs).toBe(NOW_MS);
  });
});

function batch(count: number): Batch {
  const symbols = Array.from({ length: count }, (_, i) => `S${i}`);
  const strategies = [{ strategyId: 'x', strategyName: 'x', revision: 1, symbols }];
  return { strategies, allowPartial: false, deadlineMs: NOW_MS };
}

test('a session takes a thousand instances over its life and refuses one more, with nothing added', () => {
  const draft = running();
  expect(() => planBatch(draft, batch(INSTANCES_MAX))).toThrow('may have 1000; start another session');
  expect(draft.activations).toHaveLength(1);
  expect(planBatch(draft, batch(INSTANCES_MAX - 1))).toHaveLength(INSTANCES_MAX - 1);
});
