import { expect, test } from 'vitest';
import { executorHalted } from './stopped.ts';
import { sharesOf } from './shares.ts';
import { haltSession } from './stopping.ts';
import { decide, fill, NOW_MS, observe, running, SYMBOL } from './test-session.ts';

const HALT_ID = '0190f3c1-2f7a-7000-8000-000000000009';
const FIRST = '0190f3c1-2f7a-7000-8000-000000000011';
const SECOND = '0190f3c1-2f7a-7000-8000-000000000012';
const held = {
  id: 'p1',
  sessionId: FIRST,
  strategyId: 'id-pump',
  symbol: SYMBOL,
  quantity: '2',
  state: 'OPEN',
} as const;

/** A session on the executor that others are on, with a position of the same symbol and quantity as theirs. */
function halted(id: string) {
  const draft = running({ id });
  decide(draft, 'SIGNAL', 's1');
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { fills: [fill('100')] });
  haltSession(draft, HALT_ID, true);
  return draft;
}

test('of one kill switch each session books the fill of its own position, in whichever order they are told', () => {
  const fills = [
    { ...fill('90'), sessionId: SECOND, strategyId: 'id-pump' },
    { ...fill('110'), sessionId: FIRST, strategyId: 'id-pump' },
  ];
  const pnl = [FIRST, SECOND].map((id) => {
    const draft = halted(id);
    executorHalted(
      draft,
      {
        requestId: 'halt:1',
        commandId: 'c1',
        state: 'SUCCEEDED',
        reason: '',
        message: '',
        finishTimeMs: NOW_MS,
        fills,
        closedBy: '',
        positions: undefined,
      },
      true,
    );
    return draft.position('e1')?.pnl;
  });
  expect(pnl).toEqual(['20', '-20']);
});

test("a fill of another session, of another strategy or of no session is nobody else's", () => {
  const others = [
    { ...fill('90'), sessionId: SECOND, strategyId: 'id-pump' },
    { ...fill('91'), sessionId: FIRST, strategyId: 'other' },
    fill('92'),
  ];
  expect(sharesOf([held], others)).toEqual(new Map());
});

test('several fills of one position are one share, whatever their quantities', () => {
  const own = { sessionId: FIRST, strategyId: 'id-pump' };
  const fills = [
    { ...fill('100', '1'), ...own },
    { ...fill('104', '1'), ...own },
  ];
  expect(sharesOf([held], fills).get('p1')).toMatchObject({ quantity: '2', price: '102' });
});

test('two positions of one instance, which are one at the venue, share its fill and its fee', () => {
  const own = { sessionId: FIRST, strategyId: 'id-pump' };
  const late = { ...held, id: 'p2', quantity: '3' };
  const shares = (quantity: string, positions = [held, late]) =>
    [...sharesOf(positions, [{ ...fill('100', quantity, '0.5'), ...own }])].map(([id, each]) => [
      id,
      each.quantity,
      each.fee,
    ]);
  expect(shares('5')).toEqual([
    ['p1', '2', '0.2'],
    ['p2', '3', '0.3'],
  ]);
  // What was not closed of the second is left of it.
  expect(shares('2.5')).toEqual([
    ['p1', '2', '0.4'],
    ['p2', '0.5', '0.1'],
  ]);
  expect(shares('2')).toEqual([
    ['p1', '2', '0.5'],
    ['p2', '0', '0'],
  ]);
});

test('an entry on its way beside a position of its instance was filled only by what is left of their fill', () => {
  const own = { sessionId: FIRST, strategyId: 'id-pump' };
  const entering = { ...held, id: 'p0', state: 'ENTERING' } as const;
  const ids = (quantity: string) => [...sharesOf([entering, held], [{ ...fill('100', quantity), ...own }]).keys()];
  expect(ids('2')).toEqual(['p1']);
  expect(ids('4').toSorted()).toEqual(['p0', 'p1']);
});

test('an entry whose own answer is on its way was filled if a fill is its', () => {
  const entering = { ...held, state: 'ENTERING' } as const;
  const owned = { ...fill('100', '1.5'), sessionId: FIRST, strategyId: 'id-pump' };
  expect(sharesOf([entering], [owned]).get('p1')?.quantity).toBe('1.5');
  expect(sharesOf([entering], [fill('100', '1.5')]).size).toBe(0);
});

test('of an agent that does not say whose they are, each fill is taken once: that of the quantity, else of the symbol', () => {
  const second = { ...held, id: 'p2', quantity: '3' };
  const shares = sharesOf([second, held], [fill('100', '2'), fill('101', '2.9')]);
  expect([shares.get('p1')?.price, shares.get('p2')?.price]).toEqual(['100', '101']);
});

test('of such an agent, several fills that make up the quantity are one share', () => {
  const [two, one] = [fill('100', '1.5'), fill('104', '0.5')];
  expect(sharesOf([held], [two, fill('90', '7'), one]).get('p1')).toMatchObject({ quantity: '2', price: '101' });
  expect(sharesOf([held], [fill('100', '2.0')]).get('p1')?.price).toBe('100');
});
