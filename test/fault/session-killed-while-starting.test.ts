import { afterAll, beforeAll, expect, test } from 'vitest';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { InstanceStatus } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { type Session, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { pumpStrategy, SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start(0);
  await world.agent('vps-1');
});

afterAll(() => world[Symbol.asyncDispose]());

/** Starts a session through a service that is killed when the evaluator has been asked and has not answered yet. */
async function killedStart(name: string, waitSeconds: bigint): Promise<{ strategyId: string; sessionId: string }> {
  const strategyId = world.neighbours.strategy(pumpStrategy(name));
  world.neighbours.stuck.add(strategyId);
  const { process, client } = await world.startProcess(`session-${name}`);
  const lost = expect(
    client.startSession({
      mode: SessionMode.PAPER,
      executor: 'vps-1',
      strategies: [{ strategy: name, symbols: [SYMBOL] }],
      initialBalance: '1000',
      requestId: name,
      wait: { seconds: waitSeconds },
    }),
  ).rejects.toThrow();
  const asked = () => [...world.neighbours.instances.values()].find((each) => each.strategyId === strategyId);
  const { sessionId } = await until(asked, 'the evaluator is asked');
  await process.kill();
  await lost;
  return { strategyId, sessionId };
}

async function reaches(id: string, state: SessionState): Promise<Session> {
  return until(
    async () => {
      const session = await world.session(id);
      return session.state === state ? session : undefined;
    },
    `session ${id} is ${SessionState[state]}`,
    20_000,
  );
}

test('another replica finishes the start, with one session on the executor', async () => {
  const { strategyId, sessionId } = await killedStart('finished', 60n);
  world.neighbours.stuck.delete(strategyId);
  await world.addReplica();
  const session = await reaches(sessionId, SessionState.ACTIVE);
  // The call that was lost is made again: it is the same session.
  const repeated = await world.paper('vps-1', 'finished', {
    initialBalance: '1000',
    requestId: 'finished',
    wait: { seconds: 60n },
  });
  expect(repeated.id).toBe(session.id);
  const { commands } = await world.stack.replicaCommandClient(0).listCommands({ filter: { kinds: ['start_session'] } });
  expect(commands).toHaveLength(1);
  await world.client.stopSession({ id: session.id });
});

test('another replica takes the start back when its time is over, and nothing runs', async () => {
  const { sessionId } = await killedStart('taken-back', 3n);
  const session = await reaches(sessionId, SessionState.FAILED);
  expect(session.activations[0]?.missing.join()).toContain('no evaluator has applied revision 1 yet');
  const instanceId = session.activations[0]?.instanceId ?? '';
  await until(
    () => world.neighbours.instances.get(instanceId)?.status === InstanceStatus.INACTIVE,
    'the instance has ended',
  );
  const client = world.stack.replicaCommandClient(0);
  await until(async () => {
    const { commands } = await client.listCommands({ filter: { kinds: ['stop_session'] } });
    return commands.some(
      ({ kind, finishTime }) =>
        kind.case === 'stopSession' && kind.value.sessionId === sessionId && finishTime !== undefined,
    );
  }, 'the executor has ended the session');
});
