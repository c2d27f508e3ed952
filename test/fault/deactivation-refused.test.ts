import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { ActivationState, PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { holdPosition } from './held-position.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
});

afterAll(() => world[Symbol.asyncDispose]());

async function commandOf(kind: Command['kind']['case'], state: CommandState): Promise<Command | undefined> {
  const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
  return commands.find((command) => command.kind.case === kind && command.state === state);
}

test('a venue that refuses the stop of a strategy, and then its exit, closes the position when it trades again', async () => {
  const { agent, session, runs } = await holdPosition(world);

  await agent.stop();
  await world.client.deactivateStrategy({ id: session.id, strategy: 'pump', closePositions: true });
  await until(() => commandOf('stopStrategy', CommandState.PENDING), 'the stop waits for the agent');
  const exit = await world.decide(session, { type: IntentType.EXIT });
  await until(() => commandOf('closePosition', CommandState.PENDING), 'the exit waits behind it');
  agent.control({ kinds: ['stopStrategy', 'closePosition'], fail: 'rejected', runs });
  await agent.start();
  await world.outcome(exit, OutcomeType.NOT_CLOSED);
  expect((await world.session(session.id)).activations).toMatchObject([{ state: ActivationState.INACTIVE }]);

  agent.control({ runs });
  const closed = async (): Promise<boolean> => {
    const { positions } = await world.client.listPositions({ sessionId: session.id });
    return positions[0]?.state === PositionState.CLOSED;
  };
  await until(closed, 'the position is closed', 25_000);
});
