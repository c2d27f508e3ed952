import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  type Position,
  PositionState,
  type Session,
  SignalState,
} from '../../proto/gen/strategos/session/v1/session_pb.js';
import { pumpStrategy, SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
});

afterAll(() => world[Symbol.asyncDispose]());

/** Waits for the session's one position to be in a state. */
function position({ id }: Session, state: PositionState): Promise<Position> {
  return until(async () => {
    const { positions } = await world.client.listPositions({ sessionId: id });
    return positions.find((each) => each.state === state);
  }, `the position is ${PositionState[state]}`);
}

test('an entry that nobody knows of is UNKNOWN, and settled by what the agent holds when it is asked', async () => {
  const credentials = await world.stack.createExecutor('vps-1');
  const env = { STRATEGOS_PAPER_LATENCY_MS: '2000' };
  const agent = await world.stack.startAgent({ credentials, env });
  const session = await world.paper('vps-1', 'pump');
  const entry = await world.decide(session, { type: IntentType.ENTER });
  const commands = world.stack.replicaCommandClient(0);
  const command = await until(async () => {
    const { commands: all } = await commands.listCommands({ filter: { kinds: ['open_position'] } });
    return all.find(({ requestId, state }) => requestId === entry && state === CommandState.RUNNING);
  }, 'the entry is being executed');
  await agent.kill();
  // With its journal it forgets the entry, and nobody can say whether the venue had it.
  await rm(agent.journal, { recursive: true });
  await agent.start();
  await until(
    async () => (await commands.getCommand({ id: command.id })).command?.state === CommandState.OUTCOME_UNKNOWN,
    'nobody knows what became of the entry',
  );
  const seen: PositionState[] = [];
  for await (const { change } of world.client.watchSession({ id: session.id })) {
    if (change.case !== 'position') continue;
    if (seen.at(-1) !== change.value.state) seen.push(change.value.state);
    if (change.value.state !== PositionState.UNKNOWN) break;
  }
  expect(seen).toContain(PositionState.CLOSED);
  expect(await world.outcome(entry, OutcomeType.NOT_OPENED)).toMatchObject({ reason: 'not_found' });
  expect((await world.client.listSignals({ sessionId: session.id })).signals).toMatchObject([
    { state: SignalState.REJECTED },
  ]);
  const told = [...world.neighbours.outcomes.values()].filter(({ intentId }) => intentId === entry);
  expect(told).toHaveLength(1);
  const { commands: asked } = await commands.listCommands({ filter: { kinds: ['get_status'] } });
  expect(asked.length).toBeGreaterThan(0);
});

test('an entry that an operator saw at the venue is held at the price that they saw, while its agent stays away', async () => {
  const credentials = await world.stack.createExecutor('vps-2');
  const env = { STRATEGOS_PAPER_LATENCY_MS: '2000' };
  const agent = await world.stack.startAgent({ credentials, env });
  const session = await world.paper('vps-2', 'pump');
  const entry = await world.decide(session, { type: IntentType.ENTER });
  const commands = world.stack.replicaCommandClient(0);
  const id = await until(async () => {
    const { commands: all } = await commands.listCommands({ filter: { kinds: ['open_position'] } });
    return all.find(({ requestId, state }) => requestId === entry && state === CommandState.RUNNING)?.id;
  }, 'the entry is being executed');
  await agent.kill();
  await rm(agent.journal, { recursive: true });
  await agent.start();
  await until(
    async () => (await commands.getCommand({ id })).command?.state === CommandState.OUTCOME_UNKNOWN,
    'nobody knows what became of the entry',
  );
  await agent.kill();
  await position(session, PositionState.UNKNOWN);

  const fills = [{ symbol: 'BTC_USDT', side: Side.BUY, quantity: '1.5', price: '101.25', fee: '0.3' }];
  await commands.settleCommand({ id, outcome: SettledOutcome.HAPPENED, note: 'order 77 is filled', fills });
  expect(await world.outcome(entry, OutcomeType.OPENED)).toMatchObject({ price: '101.25', quantity: '1.5' });
  expect(await position(session, PositionState.OPEN)).toMatchObject({ entryPrice: '101.25', quantity: '1.5' });
});
