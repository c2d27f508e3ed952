import { describe, expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import type { Observed } from './observed.ts';
import { executorHalted } from './stopped.ts';
import { deactivate, haltSession, stopSession } from './stopping.ts';
import { decide, fill, later, NOW_MS, observe, running, told } from './test-session.ts';
import { upkeep } from './upkeep.ts';

const LIMITS = { askUnknownAfterMs: 30_000 };
const HALT_ID = '0190f3c1-2f7a-7000-8000-000000000009';
/** What a venue leaves of two when it closes three quarters. */
const REST = { state: 'OPEN', quantity: '0.5', closedQuantity: '1.5', margin: '50', exitPrice: '110', pnl: '14.65' };

/** Two, bought at 100 for a fee of 0.2. */
function open(): Draft {
  const draft = running();
  decide(draft, 'SIGNAL', 's1');
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { fills: [fill('100', '2', '0.2')] });
  return draft;
}

/** What the executor answers to a kill switch's command. */
function haltAnswer(commandId: string, fills: Observed['fills']): Observed {
  const about = { requestId: `halt of ${commandId}`, commandId, state: 'SUCCEEDED', reason: '', message: '' } as const;
  return { ...about, finishTimeMs: NOW_MS, fills, closedBy: '', positions: undefined };
}

function newest(draft: Draft, purpose: string): string {
  return draft.commands.findLast((command) => command.purpose === purpose)?.requestId ?? '';
}

describe('a close that the venue fills in part', () => {
  test('is booked as far as it was filled, and the strategy is told that the rest is open', () => {
    const draft = open();
    decide(draft, 'EXIT', 'x1', { price: '110' });
    observe(draft, 'x1', { fills: [fill('110', '1', '0.1'), fill('110', '0.5', '0.05')] });
    expect(draft.position('e1')).toMatchObject(REST);
    expect(draft.session).toMatchObject({ realisedPnl: '14.65', equity: '10014.65' });
    expect(told(draft)).toEqual(['OPENED filled', 'NOT_CLOSED partly_closed']);
    expect(draft.result()?.outcomes.at(-1)?.message).toBe(
      'the venue closed 1.5 of 2 BTC_USDT, and the rest is still open',
    );
  });

  test('is one position in the end, at the mean price, and its profit is counted once', () => {
    const draft = open();
    decide(draft, 'EXIT', 'x1', { price: '110' });
    observe(draft, 'x1', { fills: [fill('110', '1.5', '0.15')] });
    decide(draft, 'EXIT', 'x2', { price: '90' });
    observe(draft, 'x2', { fills: [fill('90', '0.5', '0.05')] });
    const whole = { state: 'CLOSED', quantity: '2', exitPrice: '105', fee: '0.4', pnl: '9.6', exitReason: 'ze1_close' };
    expect(draft.position('e1')).toMatchObject(whole);
    expect(draft.session).toMatchObject({ realisedPnl: '9.6', equity: '10009.6' });
    expect(draft.result()?.outcomes.at(-1)).toMatchObject({ type: 'CLOSED', price: '105', quantity: '2' });
  });

  test('and that no strategy asked for is asked for again', () => {
    const draft = later(open(), 0);
    deactivate(draft, draft.activations, true);
    observe(draft, newest(draft, 'STOP_STRATEGY'), { fills: [fill('110', '1.5', '0.15')] });
    expect(draft.position('e1')).toMatchObject({ ...REST, state: 'CLOSING', exitReason: 'deactivated' });
    observe(draft, newest(draft, 'CLOSE'), { fills: [fill('110', '0.2')] });
    const due = later(draft, 10_000);
    upkeep(due, LIMITS);
    observe(due, newest(due, 'CLOSE'), { fills: [fill('110', '0.3')] });
    expect(due.position('e1')).toMatchObject({ state: 'CLOSED', quantity: '2', exitReason: 'deactivated' });
  });

  test('and whose word comes late leaves the newer close under way', () => {
    let draft = open();
    decide(draft, 'EXIT', 'x1', { price: '110' });
    observe(draft, 'x1', { state: 'OUTCOME_UNKNOWN' });
    draft = later(draft, 30_000);
    upkeep(draft, LIMITS);
    const { sessionId, strategyId, symbol } = draft.positions[0] ?? { sessionId: '', strategyId: '', symbol: '' };
    const held = { sessionId, strategyId, symbol, quantity: '0.5', entryPrice: '100' };
    observe(draft, newest(draft, 'STATUS'), { positions: [held] });
    decide(draft, 'EXIT', 'x2', { price: '90' });
    observe(draft, 'x1', { fills: [fill('110', '1.5', '0.15')] });
    expect(draft.position('e1')).toMatchObject({ ...REST, state: 'CLOSING', closeIntentId: 'x2' });
    observe(draft, 'x2', { fills: [fill('90', '0.5', '0.05')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', pnl: '9.6' });
  });
});

describe('a stop that the venue fills in part', () => {
  test('is not over: it is repeated, and says what is left', () => {
    const draft = open();
    stopSession(draft, true, 'stopped');
    observe(draft, newest(draft, 'STOP_SESSION'), { fills: [fill('110', '1.5', '0.15')] });
    expect(draft.position('e1')).toMatchObject(REST);
    expect(draft.session).toMatchObject({
      state: 'STOPPING',
      reason: 'the stop is repeated: the venue closed 1.5 of 2 BTC_USDT, and the rest is still open',
    });
    observe(draft, newest(draft, 'STOP_SESSION'), { fills: [fill('90', '0.5', '0.05')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', quantity: '2', pnl: '9.6' });
    expect(draft.session.state).toBe('STOPPED');
  });

  test('by the kill switch is followed by a stop of the session itself', () => {
    const draft = open();
    haltSession(draft, HALT_ID, true);
    executorHalted(draft, haltAnswer('c1', [fill('110', '1.5')]), true);
    expect(draft.session.state).toBe('STOPPING');
    expect(draft.command(newest(draft, 'STOP_SESSION'))?.wish).toMatchObject({ closePositions: true });
  });

  test('by the kill switch is booked once, however often its answer is looked at', () => {
    const draft = open();
    haltSession(draft, HALT_ID, true);
    for (let looks = 0; looks < 3; looks++) {
      executorHalted(draft, haltAnswer('c1', [fill('110', '1.5', '0.15')]), true);
      expect(draft.position('e1')).toMatchObject(REST);
      expect(draft.session).toMatchObject({ state: 'STOPPING', realisedPnl: '14.65' });
    }
    expect(draft.commands.filter(({ purpose }) => purpose === 'STOP_SESSION')).toHaveLength(1);
    observe(draft, newest(draft, 'STOP_SESSION'), { fills: [fill('110', '0.25')] });
    executorHalted(draft, haltAnswer('c1', [fill('110', '1.5', '0.15')]), true);
    expect(draft.position('e1')).toMatchObject({ state: 'OPEN', quantity: '0.25' });
  });

  test('by two kill switches is booked once for each, in whichever order their answers are looked at, and again', () => {
    const draft = open();
    haltSession(draft, HALT_ID, true);
    for (const id of ['c1', 'c2', 'c1', 'c2', 'c1']) executorHalted(draft, haltAnswer(id, [fill('110', '0.5')]), true);
    expect(draft.position('e1')).toMatchObject({ state: 'OPEN', quantity: '1', closedQuantity: '1', pnl: '9.8' });
    expect(draft.session.realisedPnl).toBe('9.8');
    expect(draft.commands.filter(({ purpose }) => purpose === 'STOP_SESSION')).toHaveLength(2);
  });

  test('and that leaves nothing the second time has closed the rest at a price that nobody can say', () => {
    const draft = open();
    stopSession(draft, true, 'stopped');
    observe(draft, newest(draft, 'STOP_SESSION'), { fills: [fill('110', '1.5', '0.15')] });
    observe(draft, newest(draft, 'STOP_SESSION'), {});
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', quantity: '2', exitPrice: '110', pnl: '14.65' });
    expect(draft.session.realisedPnl).toBe('14.65');
  });
});
