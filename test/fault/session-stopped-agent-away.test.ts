import { afterAll, beforeAll, expect, test } from 'vitest';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { PositionState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { pumpStrategy, SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
});

afterAll(() => world[Symbol.asyncDispose]());

test('a stop while the agent is away is queued, and completes when it returns', async () => {
  const agent = await world.stack.startAgent({ credentials: await world.stack.createExecutor('vps-1') });
  const { id, ...session } = await world.paper('vps-1', 'pump');
  await world.outcome(await world.decide({ id, ...session }, { type: IntentType.ENTER }), OutcomeType.OPENED);
  await agent.stop();
  expect((await world.client.stopSession({ id, closePositions: true })).session?.state).toBe(SessionState.STOPPING);
  expect((await world.client.listPositions({ sessionId: id })).positions).toMatchObject([
    { state: PositionState.OPEN },
  ]);
  await agent.start();
  await until(async () => (await world.session(id)).state === SessionState.STOPPED, 'the session has stopped');
  const { positions } = await world.client.listPositions({ sessionId: id });
  expect(positions).toMatchObject([{ state: PositionState.CLOSED, exitReason: 'stop_session', exitPrice: '100' }]);
});

test('a stop that is asked to close the positions while the agent is away books what it was paid for them', async () => {
  const agent = await world.stack.startAgent({ credentials: await world.stack.createExecutor('vps-3') });
  const { id, ...session } = await world.paper('vps-3', 'pump');
  await world.outcome(await world.decide({ id, ...session }, { type: IntentType.ENTER }), OutcomeType.OPENED);
  await agent.stop();
  await world.client.stopSession({ id });
  await world.client.stopSession({ id, closePositions: true });
  await agent.start();
  await until(async () => (await world.session(id)).state === SessionState.STOPPED, 'the session has stopped');
  const { positions } = await world.client.listPositions({ sessionId: id });
  expect(positions).toMatchObject([{ state: PositionState.CLOSED, exitPrice: '100', pnl: '0' }]);
});

test('an entry for an agent that is away is not opened late', async () => {
  const agent = await world.stack.startAgent({ credentials: await world.stack.createExecutor('vps-2') });
  const session = await world.paper('vps-2', 'pump');
  await agent.stop();
  const entry = await world.decide(session, { type: IntentType.ENTER });
  await until(async () => {
    const { commands } = await world.stack.replicaCommandClient(0).listCommands({ filter: { executor: 'vps-2' } });
    return commands.some(({ requestId }) => requestId === entry);
  }, 'the entry is queued');
  await world.decide(session, { type: IntentType.CANCEL_ENTRY });
  expect(await world.outcome(entry, OutcomeType.NOT_OPENED)).toMatchObject({ reason: 'cancelled' });
  await agent.start();
  await world.client.stopSession({ id: session.id });
  expect((await world.client.listPositions({ sessionId: session.id })).positions).toEqual([]);
});
