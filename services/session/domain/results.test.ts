import { describe, expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import type { Observed } from './observed.ts';
import { executorHalted } from './stopped.ts';
import { haltSession, stopSession } from './stopping.ts';
import { decide, fill, later, NOW_MS, observe, running, SYMBOL, told } from './test-session.ts';
import { upkeep } from './upkeep.ts';
import { applyVenueNews, type VenueNews } from './venue.ts';

const LIMITS = { askUnknownAfterMs: 30_000 };

function entering(patch: Parameters<typeof running>[0] = {}): Draft {
  const draft = running(patch);
  decide(draft, 'SIGNAL', 's1');
  decide(draft, 'ENTER', 'e1');
  return draft;
}

function open(patch: Parameters<typeof running>[0] = {}): Draft {
  const draft = entering(patch);
  observe(draft, 'e1', { fills: [fill('100', '2', '0.2')] });
  return draft;
}

function stopHit(): VenueNews {
  return {
    sessionId: 's',
    strategyId: 'id-pump',
    symbol: SYMBOL,
    openCommandId: 'command of e1',
    type: 'POSITION_CLOSED',
    reason: 'stop_loss',
    fill: fill('95', '2', '0.19'),
  };
}

function unknown(): Draft {
  const draft = entering();
  observe(draft, 'e1', { state: 'OUTCOME_UNKNOWN' });
  return draft;
}

function asked(): { draft: Draft; status: string } {
  const draft = later(unknown(), 30_000);
  upkeep(draft, LIMITS);
  return { draft, status: draft.commands.find(({ purpose }) => purpose === 'STATUS')?.requestId ?? '' };
}

test('the word for an old close whose outcome nobody knew does not undo the newer close', () => {
  let draft = open();
  decide(draft, 'EXIT', 'x1');
  observe(draft, 'x1', { state: 'OUTCOME_UNKNOWN' });
  draft = later(draft, 30_000);
  upkeep(draft, LIMITS);
  const status = draft.commands.find(({ purpose }) => purpose === 'STATUS')?.requestId ?? '';
  const { sessionId, strategyId, symbol } = draft.positions[0] ?? { sessionId: '', strategyId: '', symbol: '' };
  observe(draft, status, { positions: [{ sessionId, strategyId, symbol, quantity: '2', entryPrice: '100' }] });
  expect(draft.position('e1')?.state).toBe('OPEN');
  decide(draft, 'EXIT', 'x2');
  draft = later(draft, 1_000);
  observe(draft, 'x1', { state: 'FAILED', reason: 'NO_EFFECT_SEEN', message: 'settled by alice' });
  expect(told(draft)).toEqual([]);
  expect(draft.position('e1')).toMatchObject({ state: 'CLOSING', closeIntentId: 'x2' });
});

describe('an entry', () => {
  test('wants one order, with a time after which it is stale', () => {
    const draft = entering();
    const order = draft.command('e1');
    expect(order).toMatchObject({ purpose: 'OPEN', state: 'WANTED' });
    expect(order?.wish).toMatchObject({
      quantity: '2',
      referencePrice: '100',
      revision: 3,
      notAfterMs: NOW_MS + 60_000,
    });
    expect(draft.signals).toMatchObject([{ id: 's1', state: 'ENTERING', positionId: 'e1' }]);
  });

  test('that is filled is told once, however often its answer comes', () => {
    const draft = open();
    observe(draft, 'e1', { fills: [fill('100', '2', '0.2')] });
    expect(told(draft)).toEqual(['OPENED filled']);
    expect(draft.position('e1')).toMatchObject({ state: 'OPEN', entryPrice: '100', entryTimeMs: NOW_MS - 1_000 });
  });

  test('in several fills is one position at their mean price', () => {
    const draft = entering();
    observe(draft, 'e1', { fills: [fill('100', '1', '0.1'), fill('104', '3', '0.3')] });
    expect(draft.position('e1')).toMatchObject({ quantity: '4', entryPrice: '103', fee: '0.4' });
  });

  test.each(['REJECTED', 'FAILED', 'EXPIRED', 'CANCELLED', 'REFUSED'] as const)(
    'that ended %s was not opened',
    (state) => {
      const draft = entering();
      observe(draft, 'e1', { state, message: 'why' });
      expect(told(draft)).toEqual([`NOT_OPENED ${state === 'REFUSED' ? 'rejected' : state.toLowerCase()}`]);
      expect(draft.position('e1')?.state).toBe('NOT_OPENED');
      expect(draft.signals[0]?.state).toBe('REJECTED');
    },
  );

  test('in several fills has their mean price to eighteen decimals', () => {
    const draft = entering();
    observe(draft, 'e1', { fills: [fill('100', '1'), fill('100.01', '2')] });
    expect(draft.position('e1')).toMatchObject({ quantity: '3', entryPrice: '100.006666666666666667' });
  });

  test('binds its margin while it is under way', () => {
    const draft = entering();
    expect(draft.position('e1')?.margin).toBe('200');
    const [first] = draft.activations;
    if (first === undefined) throw new Error('no instance');
    draft.addActivation({ ...first, instanceId: 'second', strategyId: 'other' });
    const all = { z1Entry: { positionSize: { type: 'percentage', value: 99 } } } as const;
    decide(draft, 'ENTER', 'e2', { instanceId: 'second', terms: all });
    expect(told(draft)).toEqual(['NOT_OPENED equity_exhausted']);
  });
});

describe('an entry whose outcome is unknown', () => {
  test('is told nobody until it is known', () => {
    const draft = unknown();
    expect(draft.position('e1')?.state).toBe('UNKNOWN');
    expect(told(draft)).toEqual([]);
  });

  test.each([
    ['SUCCEEDED', 'OPENED filled', 'OPEN'],
    ['REJECTED', 'NOT_OPENED rejected', 'NOT_OPENED'],
  ] as const)('is settled by a late answer: %s', (state, outcome, position) => {
    const draft = unknown();
    observe(draft, 'e1', { state, fills: state === 'SUCCEEDED' ? [fill('100')] : [] });
    expect(told(draft)).toEqual([outcome]);
    expect(draft.position('e1')?.state).toBe(position);
  });

  test('is asked for after the time that the settings say, and not before', () => {
    const early = later(unknown(), 29_999);
    expect(upkeep(early, LIMITS)).toBe(NOW_MS + 30_000);
    expect(early.commands.some(({ purpose }) => purpose === 'STATUS')).toBe(false);
    const due = later(unknown(), 30_000);
    upkeep(due, LIMITS);
    expect(due.commands.filter(({ purpose }) => purpose === 'STATUS')).toHaveLength(1);
  });

  test('is open when the agent holds it, whatever is said later', () => {
    const { draft, status } = asked();
    const held = {
      sessionId: draft.session.id,
      strategyId: 'id-pump',
      symbol: SYMBOL,
      quantity: '2',
      entryPrice: '101',
    };
    observe(draft, status, { positions: [held] });
    observe(draft, 'e1', { state: 'SUCCEEDED', fills: [fill('101')] });
    expect(told(draft)).toEqual(['OPENED filled']);
    expect(draft.position('e1')).toMatchObject({ state: 'OPEN', entryPrice: '101' });
  });

  test('was not opened when the agent does not hold it; should it be filled after all, it is closed', () => {
    const { draft, status } = asked();
    observe(draft, status, { positions: [] });
    expect(told(draft)).toEqual(['NOT_OPENED not_found']);
    observe(draft, 'e1', { state: 'SUCCEEDED', fills: [fill('100')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSING', exitReason: 'late_entry' });
    expect(draft.command('late:e1')?.wish.type).toBe('CLOSE_POSITION');
    expect(told(draft)).toEqual(['NOT_OPENED not_found']);
  });
});

describe('an exit', () => {
  test('is a profit after the fees of both sides, by the strategy that asked', () => {
    const draft = open();
    decide(draft, 'EXIT', 'x1', { price: '110' });
    expect(draft.position('e1')?.state).toBe('CLOSING');
    observe(draft, 'x1', { fills: [fill('110', '2', '0.22')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', exitReason: 'ze1_close', pnl: '19.58', fee: '0.42' });
    expect(draft.session).toMatchObject({ realisedPnl: '19.58', equity: '10019.58' });
    expect(draft.result()?.outcomes.at(-1)).toMatchObject({ type: 'CLOSED', section: 'ZE1_CLOSE', intentId: 'x1' });
  });

  test('that failed is told, and the position is open again', () => {
    const draft = open();
    decide(draft, 'EXIT', 'x1');
    observe(draft, 'x1', { state: 'FAILED', message: 'the venue is away' });
    expect(told(draft)).toEqual(['OPENED filled', 'NOT_CLOSED failed']);
    expect(draft.position('e1')?.state).toBe('OPEN');
    decide(draft, 'EXIT', 'x2');
    observe(draft, 'x2', { fills: [fill('99')] });
    expect(draft.position('e1')?.state).toBe('CLOSED');
  });

  test('that a stop forestalled is the stop, told once, whichever news comes first', () => {
    for (const order of ['venue', 'command'] as const) {
      const draft = open();
      decide(draft, 'EXIT', 'x1');
      const both = [
        () => applyVenueNews(draft, stopHit()),
        () => observe(draft, 'x1', { closedBy: 'stop_loss', fills: [fill('95', '2', '0.19')] }),
      ];
      for (const news of order === 'venue' ? both : both.toReversed()) news();
      expect(told(draft)).toEqual(['OPENED filled', 'CLOSED stop_loss']);
      expect(draft.position('e1')).toMatchObject({ exitReason: 'stop_loss', exitPrice: '95', pnl: '-10.39' });
      expect(draft.result()?.outcomes.at(-1)).toMatchObject({ section: 'STOP_LOSS', intentId: '' });
    }
  });

  test.each([
    ['does not hold it', [], 'CLOSED', 'CLOSED ze1_close'],
    ['holds it', undefined, 'OPEN', 'NOT_CLOSED still_open'],
  ] as const)('of a position that the executor does not know is asked for, and it %s', (_, listed, state, outcome) => {
    let draft = open();
    decide(draft, 'EXIT', 'x1');
    observe(draft, 'x1', { state: 'REJECTED', reason: 'TARGET_UNKNOWN', message: 'no position is open' });
    expect(draft.position('e1')?.state).toBe('CLOSING');
    draft = later(draft, 30_000);
    upkeep(draft, LIMITS);
    const { sessionId, strategyId, symbol } = draft.positions[0] ?? { sessionId: '', strategyId: '', symbol: '' };
    const held = [{ sessionId, strategyId, symbol, quantity: '2', entryPrice: '100' }];
    const status = draft.commands.find(({ purpose }) => purpose === 'STATUS')?.requestId ?? '';
    observe(draft, status, { positions: listed ?? held });
    expect(draft.position('e1')).toMatchObject({ state, pnl: '' });
    expect(told(draft)).toEqual([outcome]);
  });

  test('of a position that is not there is answered', () => {
    const draft = running();
    decide(draft, 'EXIT', 'x1');
    expect(told(draft)).toEqual(['NOT_CLOSED no_position']);
  });
});

describe('what a venue does by itself', () => {
  test('closes a position once, and counts the drawdown', () => {
    const draft = open();
    applyVenueNews(draft, stopHit());
    applyVenueNews(draft, stopHit());
    expect(told(draft)).toEqual(['OPENED filled', 'CLOSED stop_loss']);
    expect(draft.session).toMatchObject({ realisedPnl: '-10.39', maxDrawdownPct: '0.1039' });
  });

  test('may be told before the entry that it followed', () => {
    const draft = entering();
    applyVenueNews(draft, stopHit());
    observe(draft, 'e1', { fills: [fill('100')] });
    expect(told(draft)).toEqual(['OPENED filled', 'CLOSED stop_loss']);
    expect(draft.position('e1')?.state).toBe('CLOSED');
  });
});

const HALT_ID = '0190f3c1-2f7a-7000-8000-000000000009';

/** The answer of an executor to the kill switch. */
function stopped(patch: Partial<Observed> = {}): Observed {
  return {
    requestId: 'halt:1',
    commandId: 'c1',
    state: 'SUCCEEDED',
    reason: '',
    message: '',
    finishTimeMs: NOW_MS,
    fills: [],
    closedBy: '',
    positions: undefined,
    ...patch,
  };
}

describe('an end of everything', () => {
  test('gives up entries that were not sent, and takes the fills of those that were', () => {
    const unsent = entering();
    stopSession(unsent, true, 'stopped');
    expect(told(unsent)).toEqual(['NOT_OPENED session_stopping']);
    expect(unsent.command('e1')?.state).toBe('DROPPED');

    const sent = entering();
    observe(sent, 'e1', { state: 'SENT' });
    stopSession(sent, true, 'stopped');
    const stop = sent.commands.find(({ purpose }) => purpose === 'STOP_SESSION')?.requestId ?? '';
    // The stop's answer overtakes the entry's own.
    observe(sent, stop, { fills: [fill('98')] });
    observe(sent, 'e1', { fills: [fill('100')] });
    expect(sent.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '98', exitReason: 'stop_session' });
    expect(sent.session.state).toBe('STOPPED');
  });

  test('that is asked to close the positions meanwhile waits for the stop that does, and books its fills', () => {
    const draft = open();
    stopSession(draft, false, 'stopped');
    stopSession(draft, true, 'stopped with positions');
    const [keeping, closing] = draft.commands.filter(({ purpose }) => purpose === 'STOP_SESSION');
    observe(draft, keeping?.requestId ?? '', {});
    expect(draft.position('e1')?.state).toBe('OPEN');
    expect(draft.session.state).toBe('STOPPING');
    observe(draft, closing?.requestId ?? '', { fills: [fill('110', '2', '0.22')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '110', pnl: '19.58' });
    expect(draft.session.state).toBe('STOPPED');
  });

  test('by a kill switch that keeps positions does not stand for the stop that closes them, nor the other way round', () => {
    const kept = open();
    stopSession(kept, true, 'stopped');
    haltSession(kept, HALT_ID, false);
    executorHalted(kept, stopped(), false);
    expect([kept.position('e1')?.state, kept.session.state]).toEqual(['OPEN', 'STOPPING']);
    const stop = kept.commands.find(({ purpose }) => purpose === 'STOP_SESSION')?.requestId ?? '';
    observe(kept, stop, { fills: [fill('110')] });
    expect([kept.position('e1')?.exitPrice, kept.session.state]).toEqual(['110', 'STOPPED']);

    const closed = open();
    stopSession(closed, false, 'stopped');
    haltSession(closed, HALT_ID, true);
    observe(closed, closed.commands.find(({ purpose }) => purpose === 'STOP_SESSION')?.requestId ?? '', {});
    expect(closed.position('e1')?.state).toBe('OPEN');
    executorHalted(closed, stopped({ fills: [fill('110')] }), true);
    expect([closed.position('e1')?.exitPrice, closed.session.state]).toEqual(['110', 'STOPPED']);
  });

  test('by a kill switch that keeps positions leaves them open', () => {
    const draft = open();
    haltSession(draft, HALT_ID, false);
    executorHalted(draft, stopped(), false);
    expect([draft.position('e1')?.state, draft.session.state]).toEqual(['OPEN', 'STOPPED']);
  });

  test('by the kill switch leaves the stop to its own command', () => {
    const draft = open();
    haltSession(draft, HALT_ID, true);
    expect(draft.session).toMatchObject({ state: 'STOPPING', closePositions: true });
    expect(draft.commands.some(({ purpose }) => purpose === 'STOP_SESSION')).toBe(false);
    expect(draft.activations.map(({ wanted }) => wanted)).toEqual(['END']);
  });
});

describe('after the clock was set back by hours', () => {
  test('an outcome that nobody knows is asked for', () => {
    const draft = later(unknown(), -7_200_000);
    upkeep(draft, LIMITS);
    expect(draft.commands.filter(({ purpose }) => purpose === 'STATUS')).toHaveLength(1);
  });

  test('a close that failed is tried again', () => {
    const draft = open();
    stopSession(draft, false, 'stopped');
    draft.setPosition('e1', { exitReason: 'disconnect' });
    const back = later(draft, -7_200_000);
    upkeep(back, LIMITS);
    expect(back.position('e1')?.state).toBe('CLOSING');
  });
});

describe('without prices', () => {
  test('FLATTEN closes what is open after its time, HOLD nothing', () => {
    for (const disconnectPolicy of ['FLATTEN', 'HOLD'] as const) {
      const draft = open({ disconnectPolicy });
      decide(draft, 'INPUT_BLIND', 'b1');
      const before = later(draft, 59_999);
      upkeep(before, LIMITS);
      expect(before.position('e1')?.state).toBe('OPEN');
      const due = later(before, 1);
      upkeep(due, LIMITS);
      expect(due.position('e1')?.state).toBe(disconnectPolicy === 'FLATTEN' ? 'CLOSING' : 'OPEN');
    }
  });

  test('a close that failed is tried again, until it is closed', () => {
    const draft = open({ disconnectPolicy: 'FLATTEN' });
    decide(draft, 'INPUT_BLIND', 'b1');
    const due = later(draft, 60_000);
    upkeep(due, LIMITS);
    const close = due.commands.find(({ purpose }) => purpose === 'CLOSE')?.requestId ?? '';
    observe(due, close, { state: 'FAILED' });
    expect(due.position('e1')).toMatchObject({ state: 'OPEN', exitReason: 'disconnect' });
    const again = later(due, 10_000);
    upkeep(again, LIMITS);
    expect(again.position('e1')?.state).toBe('CLOSING');
  });

  test.each(['REDUCE_ONLY', 'CANCEL_ORDERS'] as const)('%s lets no entry through until they are back', (policy) => {
    const draft = running({ disconnectPolicy: policy });
    decide(draft, 'INPUT_BLIND', 'b1');
    expect(draft.commands.some(({ purpose }) => purpose === 'CANCEL')).toBe(policy === 'CANCEL_ORDERS');
    decide(draft, 'ENTER', 'e1');
    decide(draft, 'INPUT_FRESH', 'b2');
    decide(draft, 'ENTER', 'e2');
    expect(told(draft)).toEqual(['NOT_OPENED blind_inputs']);
    expect(draft.command('e2')?.state).toBe('WANTED');
  });
});
