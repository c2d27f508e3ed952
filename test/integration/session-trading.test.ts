import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IntentType, OutcomeType, Section } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  type Position,
  PositionState,
  type Session,
  SessionState,
  type Signal,
  SignalState,
} from '../../proto/gen/strategos/session/v1/session_pb.js';
import { FIRST_MS, pumpStrategy, SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  await world.addReplica();
  await world.agent('vps-1');
  world.neighbours.strategy(pumpStrategy('pump'));
});

afterAll(() => world[Symbol.asyncDispose]());

async function signals(sessionId: string): Promise<Signal[]> {
  return (await world.client.listSignals({ sessionId })).signals;
}

async function positions(sessionId: string, openOnly = false): Promise<Position[]> {
  return (await world.client.listPositions({ sessionId, openOnly })).positions;
}

function ordersOf(session: Session, kind: 'openPosition' | 'closePosition') {
  return async () => {
    const { commands } = await world.stack.replicaCommandClient(0).listCommands({ pageSize: 1_000 });
    return commands.filter(({ kind: each }) => each.case === kind && each.value.sessionId === session.id);
  };
}

describe('a signal', () => {
  test('becomes a position of the right size, and its exit a profit', async () => {
    const session = await world.paper('vps-1', 'pump');
    await world.decide(session, { type: IntentType.SIGNAL, section: Section.S1_SIGNAL });
    await until(async () => (await signals(session.id))[0]?.state === SignalState.DETECTED, 'the signal is seen');
    const entry = await world.decide(session, { type: IntentType.ENTER, price: '100' });
    const opened = await world.outcome(entry, OutcomeType.OPENED);
    expect(opened).toMatchObject({ price: '100', quantity: '2', reason: 'filled' });
    expect(Number(opened.time?.seconds) * 1_000).toBe(FIRST_MS);
    expect(await signals(session.id)).toMatchObject([{ state: SignalState.ENTERED, positionId: entry }]);
    const [position] = await positions(session.id, true);
    expect(position).toMatchObject({
      id: entry,
      state: PositionState.OPEN,
      quantity: '2',
      entryPrice: '100',
      stopLossPrice: '95',
      takeProfitPrice: '110',
    });
    const [order] = await ordersOf(session, 'openPosition')();
    expect(order).toMatchObject({ requestId: entry, preconditions: { strategyRevision: 1n } });

    const exit = await world.decide(session, { type: IntentType.EXIT, price: '107' });
    const closed = await world.outcome(exit, OutcomeType.CLOSED);
    expect(closed).toMatchObject({ price: '107', quantity: '2', section: Section.ZE1_CLOSE });
    expect(await positions(session.id)).toMatchObject([
      { state: PositionState.CLOSED, exitPrice: '107', pnl: '14', exitReason: 'ze1_close' },
    ]);
    expect(await world.session(session.id)).toMatchObject({ realisedPnl: '14', equity: '10014' });
    await world.client.stopSession({ id: session.id });
  });

  test('on a coin of a fraction of a millionth is told in decimals that the evaluator takes', async () => {
    const session = await world.paper('vps-1', 'pump');
    const entry = await world.decide(session, { type: IntentType.ENTER, price: '0.0000005' });
    expect(await world.outcome(entry, OutcomeType.OPENED)).toMatchObject({ price: '0.0000005', quantity: '400000000' });
    const exit = await world.decide(session, { type: IntentType.EXIT, price: '0.0000006' });
    expect(await world.outcome(exit, OutcomeType.CLOSED)).toMatchObject({ price: '0.0000006', quantity: '400000000' });
    await world.client.stopSession({ id: session.id });
  });

  test('that is given up is CANCELLED', async () => {
    const session = await world.paper('vps-1', 'pump');
    await world.decide(session, { type: IntentType.SIGNAL, section: Section.S1_SIGNAL });
    await world.decide(session, { type: IntentType.SIGNAL_CANCELLED, section: Section.O1_CANCEL });
    await until(async () => (await signals(session.id))[0]?.state === SignalState.CANCELLED, 'the signal is given up');
    await world.client.stopSession({ id: session.id });
  });

  test('whose size is not possible is REJECTED with the reason, and nothing is sent', async () => {
    const session = await world.paper('vps-1', 'pump');
    const first = await world.decide(session, { type: IntentType.ENTER, definition: pumpStrategy('pump', 101) });
    const outcome = await world.outcome(first, OutcomeType.NOT_OPENED);
    expect(outcome).toMatchObject({ reason: 'equity_exhausted' });
    expect(await signals(session.id)).toMatchObject([{ state: SignalState.REJECTED }]);
    expect(await ordersOf(session, 'openPosition')()).toEqual([]);
    await world.client.stopSession({ id: session.id });
  });

  test('that comes while the session is paused is held back', async () => {
    const session = await world.paper('vps-1', 'pump');
    await world.client.pauseSession({ id: session.id });
    const entry = await world.decide(session, { type: IntentType.ENTER });
    expect(await world.outcome(entry, OutcomeType.NOT_OPENED)).toMatchObject({ reason: 'paused' });
    await world.client.stopSession({ id: session.id });
  });

  test('decided by a newer revision is entered at that revision', async () => {
    const session = await world.paper('vps-1', 'pump');
    const entry = await world.decide(session, { type: IntentType.ENTER, revision: 5 });
    await world.outcome(entry, OutcomeType.OPENED);
    expect((await world.session(session.id)).activations).toMatchObject([{ revision: 5n }]);
    await world.client.stopSession({ id: session.id, closePositions: true });
  });
});

describe('an intent', () => {
  test("to exit that knows no price, of an evaluator that has just taken over and asks again, closes at the venue's", async () => {
    const session = await world.paper('vps-1', 'pump');
    const entry = await world.decide(session, { type: IntentType.ENTER, price: '100' });
    await world.outcome(entry, OutcomeType.OPENED);
    const exit = await world.decide(session, { type: IntentType.EXIT, price: '' });
    expect(await world.outcome(exit, OutcomeType.CLOSED)).toMatchObject({ price: '100', quantity: '2' });
    await world.client.stopSession({ id: session.id });
  });

  test('that is handed over again and again, to two replicas at once, has one effect', async () => {
    const session = await world.paper('vps-1', 'pump');
    const entry = world.intent(session, { type: IntentType.ENTER, id: randomUUID() });
    const again = () =>
      Promise.all(
        [...world.replicas, ...world.replicas, ...world.replicas].map(({ client }) =>
          client.submitIntents({ intents: [entry, entry] }),
        ),
      );
    await again();
    await world.outcome(entry.id, OutcomeType.OPENED);
    await again();
    const exit = await world.decide(session, { type: IntentType.EXIT });
    await world.outcome(exit, OutcomeType.CLOSED);
    expect(await ordersOf(session, 'openPosition')()).toHaveLength(1);
    expect(await ordersOf(session, 'closePosition')()).toHaveLength(1);
    expect(await positions(session.id)).toHaveLength(1);
    const told = [...world.neighbours.outcomes.values()].filter(({ intentId }) => intentId === entry.id);
    expect(told).toHaveLength(1);
    await world.client.stopSession({ id: session.id });
  });

  test('of a session that does not exist is refused, and those beside it are kept', async () => {
    const session = await world.paper('vps-1', 'pump');
    const stranger = { ...world.intent(session, { type: IntentType.SIGNAL }), sessionId: randomUUID() };
    const own = world.intent(session, { type: IntentType.SIGNAL, section: Section.S1_SIGNAL });
    await expect(world.client.submitIntents({ intents: [stranger, own] })).rejects.toThrow(/no session/);
    await until(async () => (await signals(session.id)).length === 1, 'the other one is acted upon');
    await world.client.stopSession({ id: session.id });
  });

  test('to enter twice without an exit is turned away the second time', async () => {
    const session = await world.paper('vps-1', 'pump');
    await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
    const second = await world.decide(session, { type: IntentType.ENTER });
    expect(await world.outcome(second, OutcomeType.NOT_OPENED)).toMatchObject({ reason: 'position_open' });
    await world.client.stopSession({ id: session.id, closePositions: true });
  });
});

describe('a stop', () => {
  test('with close_positions closes what is open, and counts it', async () => {
    const session = await world.paper('vps-1', 'pump');
    await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
    const stopped = (await world.client.stopSession({ id: session.id, closePositions: true })).session;
    expect(stopped).toMatchObject({ state: SessionState.STOPPED, realisedPnl: '0' });
    expect(await positions(session.id)).toMatchObject([{ state: PositionState.CLOSED, exitReason: 'stop_session' }]);
    const late = await world.decide(session, { type: IntentType.ENTER });
    expect(await world.outcome(late, OutcomeType.NOT_OPENED)).toMatchObject({ reason: 'session_stopping' });
  });

  test('of one strategy with close_positions closes its position', async () => {
    const session = await world.paper('vps-1', 'pump');
    await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
    await world.client.deactivateStrategy({
      id: session.id,
      strategy: 'pump',
      symbols: [SYMBOL],
      closePositions: true,
    });
    await until(async () => (await positions(session.id, true)).length === 0, 'nothing is open');
    expect(await positions(session.id)).toMatchObject([{ exitReason: 'deactivated', pnl: '0' }]);
    await world.client.stopSession({ id: session.id });
  });
});

test('positions and signals are listed in pages, open ones first', async () => {
  const session = await world.paper('vps-1', 'pump');
  for (let round = 0; round < 3; round++) {
    await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
    await world.outcome(await world.decide(session, { type: IntentType.EXIT }), OutcomeType.CLOSED);
  }
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  const seen: Position[] = [];
  for (let pageToken = ''; ; ) {
    const page = await world.client.listPositions({ sessionId: session.id, pageSize: 2, pageToken });
    seen.push(...page.positions);
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  expect(seen.map(({ state }) => state)).toEqual([
    PositionState.OPEN,
    PositionState.CLOSED,
    PositionState.CLOSED,
    PositionState.CLOSED,
  ]);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(4);
  const first = await world.client.listSignals({ sessionId: session.id, pageSize: 3 });
  const rest = await world.client.listSignals({
    sessionId: session.id,
    pageSize: 3,
    pageToken: first.nextPageToken,
  });
  expect(new Set([...first.signals, ...rest.signals].map(({ id }) => id)).size).toBe(4);
  await world.client.stopSession({ id: session.id, closePositions: true });
});
