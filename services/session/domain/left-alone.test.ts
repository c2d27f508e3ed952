import { describe, expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import { deactivate, stopSession } from './stopping.ts';
import { decide, fill, later, observe, running, told } from './test-session.ts';
import { upkeep } from './upkeep.ts';

const LIMITS = { askUnknownAfterMs: 30_000 };

function entering(): Draft {
  const draft = running();
  decide(draft, 'ENTER', 'e1');
  for (const { requestId } of draft.commands.filter(({ purpose }) => purpose === 'OPEN')) {
    draft.setCommand(requestId, { state: 'RUNNING', commandId: 'c' });
  }
  return draft;
}

function open(): Draft {
  const draft = entering();
  observe(draft, 'e1', { fills: [fill('100')] });
  return draft;
}

function newest(draft: Draft, purpose: string): string {
  return draft.commands.findLast((command) => command.purpose === purpose)?.requestId ?? '';
}

/** Takes the strategy out with its position; its stop comes to this end. */
function takenOut(draft: Draft, state: 'FAILED' | 'SUCCEEDED', patch: object = {}): void {
  deactivate(draft, draft.activations, true);
  observe(draft, newest(draft, 'STOP_STRATEGY'), { state, message: 'the venue is closed', ...patch });
}

/** What upkeep makes of it some time later. */
function afterAWhile(draft: Draft, ms = 10_000): Draft {
  const due = later(draft, ms);
  upkeep(due, LIMITS);
  return due;
}

describe('a position of a strategy whose stop has failed is closed, though', () => {
  test('an exit that the strategy had asked for was under way, and fails after the stop', () => {
    const draft = open();
    decide(draft, 'EXIT', 'x1');
    takenOut(draft, 'FAILED');
    observe(draft, 'x1', { state: 'REJECTED', message: 'the venue is closed' });
    expect(draft.position('e1')).toMatchObject({ state: 'OPEN', exitReason: 'ze1_close' });
    expect(told(draft)).toContain('NOT_CLOSED rejected');
    const due = afterAWhile(draft);
    observe(due, newest(due, 'CLOSE'), { fills: [fill('110')] });
    expect(due.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '110', exitReason: 'ze1_close' });
  });

  test('nobody knew whether it was opened, and the executor has it', () => {
    const draft = entering();
    observe(draft, 'e1', { state: 'OUTCOME_UNKNOWN' });
    takenOut(draft, 'FAILED');
    const asking = afterAWhile(draft, 30_000);
    const { sessionId, strategyId, symbol } = draft.positions[0] ?? { sessionId: '', strategyId: '', symbol: '' };
    observe(asking, newest(asking, 'STATUS'), {
      positions: [{ sessionId, strategyId, symbol, quantity: '2', entryPrice: '100' }],
    });
    expect(asking.position('e1')).toMatchObject({ state: 'OPEN', exitReason: 'deactivated' });
    expect(afterAWhile(asking).position('e1')?.state).toBe('CLOSING');
  });

  test('its entry is answered after the stop', () => {
    const draft = entering();
    takenOut(draft, 'FAILED');
    observe(draft, 'e1', { fills: [fill('100')] });
    expect(afterAWhile(draft).position('e1')).toMatchObject({ state: 'CLOSING', exitReason: 'deactivated' });
  });
});

test('the rest of a position that a stop has closed in part is closed again, whoever had asked before', () => {
  const draft = open();
  decide(draft, 'EXIT', 'x1');
  observe(draft, 'x1', { state: 'OUTCOME_UNKNOWN' });
  takenOut(draft, 'SUCCEEDED', { fills: [fill('110', '1.5')] });
  observe(draft, newest(draft, 'CLOSE'), { state: 'FAILED' });
  expect(afterAWhile(draft).position('e1')).toMatchObject({ state: 'CLOSING', quantity: '0.5' });
});

test('the rest of a position that is being closed is not asked for because an exit before it is unknown', () => {
  const draft = open();
  decide(draft, 'EXIT', 'x1');
  observe(draft, 'x1', { state: 'OUTCOME_UNKNOWN' });
  takenOut(draft, 'SUCCEEDED', { fills: [fill('110', '1.5')] });
  expect(newest(afterAWhile(draft, 30_000), 'STATUS')).toBe('');
});

test('an exit that fails in a session that stops and keeps its positions leaves the position open', () => {
  const draft = open();
  decide(draft, 'EXIT', 'x1');
  stopSession(draft, false, 'stopped');
  observe(draft, newest(draft, 'STOP_SESSION'), {});
  observe(draft, 'x1', { state: 'REJECTED' });
  expect(afterAWhile(draft).position('e1')).toMatchObject({ state: 'OPEN', exitReason: '' });
});
