import { describe, expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import { stopSession } from './stopping.ts';
import { decide, fill, later, observe, running, SYMBOL, told } from './test-session.ts';
import { upkeep } from './upkeep.ts';
import { applyVenueNews } from './venue.ts';

/** Two are wanted at 100; the answer of the entry is on its way. */
function entering(): Draft {
  const draft = running();
  decide(draft, 'SIGNAL', 's1');
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { state: 'SENT' });
  return draft;
}

function answer(draft: Draft): void {
  for (let times = 0; times < 2; times++) observe(draft, 'e1', { fills: [fill('101', '2', '0.2')] });
}

describe('what an entry was filled at, and its fee, count when its answer comes', () => {
  test('after that of the stop which closed it', () => {
    const draft = entering();
    stopSession(draft, true, 'stopped');
    const stop = draft.commands.find(({ purpose }) => purpose === 'STOP_SESSION')?.requestId ?? '';
    observe(draft, stop, { fills: [fill('98', '2', '0.1')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', entryPrice: '100', pnl: '-4.1' });
    answer(draft);
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', entryPrice: '101', fee: '0.3', pnl: '-6.3' });
    expect(draft.session).toMatchObject({ realisedPnl: '-6.3', equity: '9993.7' });
    expect(told(draft)).toEqual(['OPENED filled', 'CLOSED stop_session']);
  });

  test('after the venue has told that its stop was hit', () => {
    const draft = entering();
    const about = {
      sessionId: draft.session.id,
      strategyId: 'id-pump',
      symbol: SYMBOL,
      openCommandId: 'command of e1',
    };
    applyVenueNews(draft, { ...about, type: 'POSITION_CLOSED', reason: 'stop_loss', fill: fill('95', '2', '0.1') });
    answer(draft);
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', entryPrice: '101', fee: '0.3', pnl: '-12.3' });
    expect(draft.session.realisedPnl).toBe('-12.3');
  });

  test('after the executor has said that it holds it', () => {
    const draft = entering();
    observe(draft, 'e1', { state: 'OUTCOME_UNKNOWN' });
    const due = later(draft, 30_000);
    upkeep(due, { askUnknownAfterMs: 30_000 });
    const about = { sessionId: draft.session.id, strategyId: 'id-pump', symbol: SYMBOL };
    const status = due.commands.findLast(({ purpose }) => purpose === 'STATUS')?.requestId ?? '';
    observe(due, status, { positions: [{ ...about, quantity: '2', entryPrice: '101' }] });
    answer(due);
    expect(due.position('e1')).toMatchObject({ state: 'OPEN', entryPrice: '101', fee: '0.2', margin: '202' });
    decide(due, 'EXIT', 'x1');
    observe(due, 'x1', { fills: [fill('110', '2', '0.1')] });
    expect(due.session.realisedPnl).toBe('17.7');
  });
});

test('an entry of which a stop has closed all stays closed when nobody knows the outcome of the entry itself', () => {
  const draft = entering();
  stopSession(draft, true, 'stopped');
  const stop = draft.commands.find(({ purpose }) => purpose === 'STOP_SESSION')?.requestId ?? '';
  observe(draft, stop, { fills: [fill('98')] });
  observe(draft, 'e1', { state: 'OUTCOME_UNKNOWN' });
  expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', unknownTimeMs: null, pnl: '-4' });
  answer(draft);
  expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', entryPrice: '101', pnl: '-6.2' });
});
