import { afterAll, beforeAll, expect, test } from 'vitest';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { type Position, PositionState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { dealt, holdPosition } from './held-position.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
});

afterAll(() => world[Symbol.asyncDispose]());

test('an exit and a stop that the venue fills in part leave the rest open, and close it in the end', async () => {
  const { agent, session, runs } = await holdPosition(world, { fill: { quantity: '2', price: '100' } });
  const own = async (): Promise<Position | undefined> =>
    (await world.client.listPositions({ sessionId: session.id })).positions[0];
  agent.control({ runs, ...dealt('closePosition', { quantity: '1', price: '110' }) });
  const exit = await world.decide(session, { type: IntentType.EXIT });
  const { message } = await world.outcome(exit, OutcomeType.NOT_CLOSED);
  expect(message).toBe(`the venue closed 1 of 2 ${SYMBOL}, and the rest is still open`);
  expect(await own()).toMatchObject({ state: PositionState.OPEN, quantity: '1', exitPrice: '110', pnl: '10' });

  // Each of its stops closes half of what was held.
  agent.control({ runs, ...dealt('stopSession', { quantity: '0.5', price: '90' }) });
  await world.client.stopSession({ id: session.id, closePositions: true });
  await until(async () => (await world.session(session.id)).state === SessionState.STOPPED, 'it has stopped', 15_000);
  expect(await own()).toMatchObject({ state: PositionState.CLOSED, quantity: '2', exitPrice: '100', pnl: '0' });
  expect(await world.session(session.id)).toMatchObject({ realisedPnl: '0' });
  const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
  expect(commands.filter(({ kind }) => kind.case === 'stopSession')).toHaveLength(2);
});
