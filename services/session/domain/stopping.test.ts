import { describe, expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import { deactivate, stopSession } from './stopping.ts';
import { decide, fill, observe, running } from './test-session.ts';

const SECOND = 'second';

/** A session with a second strategy, on the same symbol. */
function two(): Draft {
  const draft = running();
  const [first] = draft.activations;
  if (first === undefined) throw new Error('no instance');
  draft.addActivation({ ...first, instanceId: SECOND, strategyId: 'id-other', strategyName: 'other' });
  return draft;
}

function ownOfFirst(draft: Draft) {
  return draft.activations.filter(({ instanceId }) => instanceId !== SECOND);
}

function stopOf(draft: Draft): string {
  return draft.commands.find(({ purpose }) => purpose.startsWith('STOP_'))?.requestId ?? '';
}

describe('a strategy that is taken out', () => {
  test('gives up its own entry that was not sent, and no other', () => {
    const draft = two();
    decide(draft, 'ENTER', 'e1');
    decide(draft, 'ENTER', 'e2', { instanceId: SECOND });
    deactivate(draft, ownOfFirst(draft), true);
    expect([draft.command('e1')?.state, draft.command('e2')?.state]).toEqual(['DROPPED', 'WANTED']);
    expect([draft.position('e1')?.state, draft.position('e2')?.state]).toEqual(['NOT_OPENED', 'ENTERING']);
  });

  test('closes its own position, and no other', () => {
    const draft = two();
    decide(draft, 'ENTER', 'e1');
    decide(draft, 'ENTER', 'e2', { instanceId: SECOND });
    observe(draft, 'e1', { fills: [fill('100')] });
    observe(draft, 'e2', { fills: [fill('100')] });
    deactivate(draft, ownOfFirst(draft), true);
    observe(draft, stopOf(draft), { fills: [fill('110')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '110', exitReason: 'deactivated' });
    expect(draft.position('e2')?.state).toBe('OPEN');
  });

  test.each(['FAILED', 'REJECTED', 'EXPIRED', 'OUTCOME_UNKNOWN'] as const)(
    'does not leave its position to nobody when its stop has %s',
    (state) => {
      const draft = two();
      decide(draft, 'ENTER', 'e1');
      decide(draft, 'ENTER', 'e2', { instanceId: SECOND });
      observe(draft, 'e1', { fills: [fill('100')] });
      observe(draft, 'e2', { fills: [fill('100')] });
      deactivate(draft, ownOfFirst(draft), true);
      observe(draft, stopOf(draft), { state, message: 'the venue is closed' });
      expect(draft.position('e1')).toMatchObject({ state: 'CLOSING', exitReason: 'deactivated' });
      expect(draft.position('e2')?.state).toBe('OPEN');
      const close = draft.commands.find(({ purpose }) => purpose === 'CLOSE')?.requestId ?? '';
      observe(draft, close, { fills: [fill('110')] });
      expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '110', exitReason: 'deactivated' });
    },
  );
});

describe('a stop of the session', () => {
  test('that closed nothing says nothing of an entry whose own answer is on its way', () => {
    const draft = running();
    decide(draft, 'ENTER', 'e1');
    observe(draft, 'e1', { state: 'SENT' });
    stopSession(draft, true, 'stopped');
    observe(draft, stopOf(draft), {});
    expect(draft.position('e1')?.state).toBe('ENTERING');
    observe(draft, 'e1', { state: 'REJECTED' });
    expect(draft.position('e1')?.state).toBe('NOT_OPENED');
  });

  test('is over when the executor knows no such session', () => {
    const draft = running();
    stopSession(draft, true, 'stopped');
    observe(draft, stopOf(draft), { state: 'REJECTED', reason: 'TARGET_UNKNOWN' });
    expect(draft.session.state).toBe('STOPPED');
  });

  test('that closes positions of which the executor knows nothing closes each by itself, and is over when none is left', () => {
    const draft = running();
    decide(draft, 'ENTER', 'e1');
    observe(draft, 'e1', { fills: [fill('100')] });
    stopSession(draft, false, 'stopped');
    stopSession(draft, true, 'stopped with positions');
    const [keeping, closing] = draft.commands.filter(({ purpose }) => purpose === 'STOP_SESSION');
    observe(draft, keeping?.requestId ?? '', {});
    const unknown = { state: 'REJECTED', reason: 'TARGET_UNKNOWN' } as const;
    observe(draft, closing?.requestId ?? '', unknown);
    expect(draft.position('e1')?.state).toBe('CLOSING');
    expect(draft.session).toMatchObject({
      state: 'STOPPING',
      reason: 'the stop is repeated: the executor does not know the session; its positions are closed one by one',
    });
    const again = () => draft.commands.findLast(({ purpose }) => purpose === 'STOP_SESSION')?.requestId ?? '';
    observe(draft, again(), unknown);
    expect(draft.session.state).toBe('STOPPING');
    observe(draft, draft.commands.find(({ purpose }) => purpose === 'CLOSE')?.requestId ?? '', {
      fills: [fill('110')],
    });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSED', exitPrice: '110', exitReason: 'stop_session' });
    observe(draft, again(), unknown);
    expect(draft.session.state).toBe('STOPPED');
  });

  test('is followed by the close of an entry that it gave up, and that was filled after all', () => {
    const draft = running();
    decide(draft, 'ENTER', 'e1');
    stopSession(draft, true, 'stopped');
    expect(draft.command('e1')?.state).toBe('DROPPED');
    observe(draft, 'e1', { fills: [fill('100')] });
    expect(draft.position('e1')).toMatchObject({ state: 'CLOSING', exitReason: 'late_entry' });
    expect(draft.command('late:e1')?.wish.type).toBe('CLOSE_POSITION');
  });
});

test('what was seen of a command earlier and comes later does not set it back', () => {
  const draft = running();
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { state: 'RUNNING' });
  observe(draft, 'e1', { state: 'SENT' });
  expect(draft.command('e1')?.state).toBe('RUNNING');
});
