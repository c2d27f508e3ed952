import { afterAll, beforeAll, expect, test } from 'vitest';
import { HaltScope, PositionState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { dealt, holdPosition } from './held-position.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  await world.addReplica();
});

afterAll(() => world[Symbol.asyncDispose]());

test('a kill switch that a venue fills in part says that positions are still closed, and each part is booked once', async () => {
  const { agent, session, runs } = await holdPosition(world, { fill: { quantity: '2', price: '100' } });

  // The kill switch closes a quarter, and so does each stop of the session after it.
  agent.control({ runs, ...dealt(['stopAll', 'stopSession'], { quantity: '0.5', price: '110' }) });
  const request = { scope: HaltScope.ACCOUNT, closePositions: true, requestId: 'halt-1', wait: { seconds: 5n } };
  // Asked for at both replicas, as by somebody who presses again: one kill switch, and each looks at its answer.
  const [first] = await Promise.all(world.replicas.map(({ client }) => client.stopAll(request)));
  const note = 'stopped; the venue has closed positions in part, and their sessions go on closing the rest';
  expect(first?.halt?.acknowledgements).toMatchObject([{ flat: true, note }]);

  await until(async () => (await world.session(session.id)).state === SessionState.STOPPED, 'it has stopped', 25_000);
  const { positions } = await world.client.listPositions({ sessionId: session.id });
  expect(positions).toMatchObject([{ state: PositionState.CLOSED, quantity: '2', exitPrice: '110', pnl: '20' }]);
  const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
  expect(commands.filter(({ kind }) => kind.case === 'stopSession')).toHaveLength(3);
  const { halt } = await world.client.getHalt({ id: first?.halt?.id ?? '' });
  expect(halt?.acknowledgements).toMatchObject([{ flat: true, note: 'stopped, positions closed' }]);
});
