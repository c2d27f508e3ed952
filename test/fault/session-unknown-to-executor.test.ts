import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { HaltScope, PositionState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { holdPosition } from './held-position.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
});

afterAll(() => world[Symbol.asyncDispose]());

test('a stop that the executor knows no session for closes each position by a command of its own', async () => {
  const { agent, session, runs } = await holdPosition(world);
  agent.control({ kinds: ['stopSession'], fail: 'target_unknown', runs });
  await world.client.stopSession({ id: session.id, closePositions: true });
  await until(async () => (await world.session(session.id)).state === SessionState.STOPPED, 'it has stopped', 15_000);
  const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
  const close = commands.find(({ kind }) => kind.case === 'closePosition');
  expect(close?.state).toBe(CommandState.SUCCEEDED);
  const { positions } = await world.client.listPositions({ sessionId: session.id });
  expect(positions).toMatchObject([{ state: PositionState.CLOSED, closeCommandId: close?.id ?? '' }]);
});

test('a kill switch for a session that the executor does not know is confirmed when its positions are closed', async () => {
  const { agent, session, runs } = await holdPosition(world, { executor: 'vps-2' });
  agent.control({ kinds: ['stopSession'], fail: 'target_unknown', runs });
  const { halt } = await world.client.stopAll({ scope: HaltScope.SESSION, target: session.id, closePositions: true });
  const isOver = async () => (await world.client.getHalt({ id: halt?.id ?? '' })).halt?.complete === true;
  await until(isOver, 'the kill switch is confirmed', 20_000);
  expect((await world.session(session.id)).state).toBe(SessionState.STOPPED);
  const { positions } = await world.client.listPositions({ sessionId: session.id });
  expect(positions).toMatchObject([{ state: PositionState.CLOSED }]);
});
