import { describe, expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import type { Observed } from './observed.ts';
import { executorHalted } from './stopped.ts';
import { haltSession, stopSession } from './stopping.ts';
import { decide, fill, later, NOW_MS, observe, running, SYMBOL, told } from './test-session.ts';
import { upkeep } from './upkeep.ts';
import { applyVenueNews, type VenueNews } from './venue.ts';

const HALT_ID = '0190f3c1-2f7a-7000-8000-000000000009';

/** Two, bought at 100 for a fee of 0.2. */
function open(): Draft {
  const draft = running();
  decide(draft, 'SIGNAL', 's1');
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { fills: [fill('100', '2', '0.2')] });
  return draft;
}

function newest(draft: Draft, purpose: string): string {
  return draft.commands.findLast((command) => command.purpose === purpose)?.requestId ?? '';
}

/** A position whose exit nobody knows the outcome of, and that the executor's status does not list any more. */
function gone(quantityLeft = '2'): Draft {
  const draft = open();
  decide(draft, 'EXIT', 'x1', { price: '110' });
  if (quantityLeft !== '2') {
    observe(draft, 'x1', { fills: [fill('110', '1.5', '0.15')] });
    decide(draft, 'EXIT', 'x2', { price: '110' });
  }
  observe(draft, newest(draft, 'CLOSE'), { state: 'OUTCOME_UNKNOWN' });
  const due = later(draft, 30_000);
  upkeep(due, { askUnknownAfterMs: 30_000 });
  observe(due, newest(due, 'STATUS'), { positions: [] });
  expect(told(due)).toEqual(['CLOSED ze1_close']);
  return later(due, 1_000);
}

function stopHit(quantity = '2'): VenueNews {
  const about = { sessionId: 's', strategyId: 'id-pump', symbol: SYMBOL, openCommandId: 'command of e1' };
  return { ...about, type: 'POSITION_CLOSED', reason: 'stop_loss', fill: fill('95', quantity, '0.19') };
}

function owned(draft: Draft, price: string, quantity: string): Observed['fills'][number] {
  return { ...fill(price, quantity), sessionId: draft.session.id, strategyId: 'id-pump' };
}

function haltAnswer(commandId: string, fills: Observed['fills']): Observed {
  const about = { requestId: `halt of ${commandId}`, commandId, state: 'SUCCEEDED', reason: '', message: '' } as const;
  return { ...about, finishTimeMs: NOW_MS, fills, closedBy: '', positions: undefined };
}

describe('the price of a position that was found gone is booked when it becomes known', () => {
  test('by the late answer of its close, once, and the strategy is not told again', () => {
    const draft = gone();
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '', pnl: '', unpricedQuantity: '2' });
    for (let times = 0; times < 3; times++) observe(draft, 'x1', { fills: [fill('95', '2', '0.2')] });
    expect(draft.position('e1')).toMatchObject({
      state: 'CLOSED',
      quantity: '2',
      exitPrice: '95',
      fee: '0.4',
      pnl: '-10.4',
      closeCommandId: 'command of x1',
      exitTimeMs: NOW_MS - 1_000,
      unpricedQuantity: '',
    });
    expect(draft.session).toMatchObject({ realisedPnl: '-10.4', equity: '9989.6', maxDrawdownPct: '0.104' });
    expect(told(draft)).toEqual([]);
    expect(
      draft
        .result()
        ?.changes.map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(['POSITION', 'SESSION']);
  });

  test('as far as the late answer says, and beside what had been closed before', () => {
    const draft = gone();
    observe(draft, 'x1', { fills: [fill('110', '0.5')] });
    expect(draft.position('e1')).toMatchObject({ exitPrice: '110', pnl: '4.8', unpricedQuantity: '1.5' });

    const rest = gone('0.5');
    expect(rest.position('e1')).toMatchObject({
      state: 'CLOSED',
      quantity: '2',
      pnl: '14.65',
      unpricedQuantity: '0.5',
    });
    observe(rest, 'x2', { fills: [fill('90', '0.5', '0.05')] });
    expect(rest.position('e1')).toMatchObject({ quantity: '2', exitPrice: '105', pnl: '9.6', unpricedQuantity: '' });
    expect(rest.session.realisedPnl).toBe('9.6');
  });

  test('never for more than was held', () => {
    const draft = gone();
    observe(draft, 'x1', { fills: [fill('110', '3')] });
    expect(draft.position('e1')).toMatchObject({ quantity: '2', pnl: '19.8', unpricedQuantity: '' });
  });

  test('by the stop that had closed it, whether its event or the answer of the close tells it first', () => {
    for (const order of ['event', 'answer'] as const) {
      const draft = gone();
      const both = [
        () => applyVenueNews(draft, stopHit()),
        () => observe(draft, 'x1', { closedBy: 'stop_loss', fills: [fill('95', '2', '0.19')] }),
      ];
      for (const news of order === 'event' ? both : both.toReversed()) news();
      expect(draft.position('e1')).toMatchObject({ exitReason: 'stop_loss', exitPrice: '95', pnl: '-10.39' });
      expect(draft.session.realisedPnl).toBe('-10.39');
      expect(told(draft)).toEqual([]);
    }
  });

  test('of the rest that a stop closed and of the part that an exit had closed before it, in whichever order', () => {
    for (const order of ['event', 'answer'] as const) {
      const draft = open();
      decide(draft, 'EXIT', 'x1', { price: '110' });
      observe(draft, 'x1', { state: 'OUTCOME_UNKNOWN' });
      const both = [
        () => applyVenueNews(draft, stopHit('0.5')),
        () => applyVenueNews(draft, stopHit('0.5')),
        () => observe(draft, 'x1', { fills: [fill('110', '1.5', '0.15')] }),
      ];
      for (const news of order === 'event' ? both : both.toReversed()) news();
      expect(draft.position('e1')).toMatchObject({
        state: 'CLOSED',
        quantity: '2',
        pnl: '11.96',
        unpricedQuantity: '',
      });
      expect(draft.session.realisedPnl).toBe('11.96');
    }
  });

  test('by the late answer of a stop of its session, after another one has found nothing left', () => {
    const draft = open();
    stopSession(draft, true, 'stopped');
    const first = newest(draft, 'STOP_SESSION');
    observe(draft, first, { state: 'OUTCOME_UNKNOWN' });
    observe(draft, newest(draft, 'STOP_SESSION'), {});
    expect([draft.position('e1')?.pnl, draft.session.state]).toEqual(['', 'STOPPED']);
    for (let times = 0; times < 2; times++) observe(draft, first, { fills: [owned(draft, '110', '2')] });
    expect(draft.position('e1')).toMatchObject({ exitPrice: '110', pnl: '19.8', exitReason: 'stop_session' });
    expect(draft.session).toMatchObject({ state: 'STOPPED', realisedPnl: '19.8' });
  });

  test('by the answer of a kill switch that is looked at after that of a later one, which found nothing left', () => {
    const draft = open();
    haltSession(draft, HALT_ID, true);
    executorHalted(draft, haltAnswer('c2', []), true);
    expect([draft.position('e1')?.pnl, draft.session.state]).toEqual(['', 'STOPPED']);
    for (let looks = 0; looks < 2; looks++) {
      executorHalted(draft, haltAnswer('c1', [owned(draft, '110', '1.5')]), true);
      expect(draft.position('e1')).toMatchObject({ exitPrice: '110', pnl: '14.8', unpricedQuantity: '0.5' });
      expect(draft.session.realisedPnl).toBe('14.8');
    }
    expect(told(draft)).toEqual(['OPENED filled', 'CLOSED stop_all']);
  });
});

describe('a position that a session has kept when it ended', () => {
  test('takes the fill of a kill switch that closes it, and what that leaves of it is closed', () => {
    const draft = open();
    stopSession(draft, false, 'stopped');
    observe(draft, newest(draft, 'STOP_SESSION'), {});
    expect([draft.position('e1')?.state, draft.session.state]).toEqual(['OPEN', 'STOPPED']);
    for (let looks = 0; looks < 2; looks++) {
      executorHalted(draft, haltAnswer('c1', [owned(draft, '110', '1.5')]), true);
      expect(draft.position('e1')).toMatchObject({ state: 'CLOSING', quantity: '0.5', exitReason: 'stop_all' });
    }
    observe(draft, newest(draft, 'CLOSE'), { fills: [fill('110', '0.5')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', quantity: '2', pnl: '19.8' });
    expect(draft.session).toMatchObject({ state: 'STOPPED', realisedPnl: '19.8' });
  });

  test('stays as it is when the kill switch says nothing of it', () => {
    const draft = open();
    stopSession(draft, false, 'stopped');
    observe(draft, newest(draft, 'STOP_SESSION'), {});
    executorHalted(draft, haltAnswer('c1', []), true);
    expect(draft.position('e1')?.state).toBe('OPEN');
  });
});
