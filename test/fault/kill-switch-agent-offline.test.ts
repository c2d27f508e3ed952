import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { InstanceStatus, IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  HaltScope,
  PositionState,
  type Session,
  SessionState,
} from '../../proto/gen/strategos/session/v1/session_pb.js';
import type { TestAgent } from '../harness/agent.ts';
import { pumpStrategy, SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

const NAMES = ['one', 'two', 'three'] as const;

let world: SessionWorld;
const agents = new Map<string, TestAgent>();

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
  for (const name of NAMES) {
    agents.set(name, await world.stack.startAgent({ credentials: await world.stack.createExecutor(name) }));
  }
});

afterAll(() => world[Symbol.asyncDispose]());

async function trading(name: string): Promise<Session> {
  const session = await world.paper(name, 'pump');
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  return session;
}

async function commandsOf(executor: string): Promise<Command[]> {
  const client = world.stack.replicaCommandClient(0);
  return (await client.listCommands({ filter: { executor }, pageSize: 1_000 })).commands;
}

function startMs(command: Command | undefined): number {
  return Number(command?.startTime?.seconds ?? 0n) * 1_000 + (command?.startTime?.nanos ?? 0) / 1_000_000;
}

test('two of three are flat at once and listed, the third on its return before any other command', async () => {
  const sessions = await Promise.all(NAMES.map(trading));
  const [, , third] = sessions;
  if (third === undefined) throw new Error('there is no third session');
  await agents.get('three')?.stop();
  // What waits for the third when it returns: an exit that was asked for, and an entry of another hand.
  const exit = await world.decide(third, { type: IntentType.EXIT });
  await until(
    async () => (await commandsOf('three')).some(({ requestId }) => requestId === exit),
    'the exit waits for the third',
  );

  const request = { scope: HaltScope.ACCOUNT, closePositions: true, requestId: 'halt-1', wait: { seconds: 2n } };
  const { halt } = await world.client.stopAll(request);
  const answers = Object.fromEntries((halt?.acknowledgements ?? []).map((each) => [each.executorName, each]));
  expect(answers['one']).toMatchObject({ flat: true, state: CommandState.SUCCEEDED, connected: true });
  expect(answers['two']).toMatchObject({ flat: true, state: CommandState.SUCCEEDED, connected: true });
  expect(answers['three']).toMatchObject({ flat: false, state: CommandState.PENDING, connected: false });
  expect(answers['three']?.note).toContain('away');
  expect(halt?.complete).toBe(false);
  expect(new Set(halt?.sessionIds)).toEqual(new Set(sessions.map(({ id }) => id)));
  await until(
    () => sessions.every((session) => instanceOf(session)?.status === InstanceStatus.INACTIVE),
    'no instance decides any more, that of the third neither',
  );
  for (const session of sessions.slice(0, 2)) {
    expect((await world.session(session.id)).state).toBe(SessionState.STOPPED);
    const { positions } = await world.client.listPositions({ sessionId: session.id });
    expect(positions).toMatchObject([{ state: PositionState.CLOSED, exitReason: 'stop_all' }]);
  }
  expect((await world.session(third.id)).state).toBe(SessionState.STOPPING);
  // Asked again, it is the same halt.
  expect((await world.client.stopAll({ ...request, wait: { seconds: 0n } })).halt?.id).toBe(halt?.id);
  // A later one that is over hides none that waits for somebody.
  const later = { scope: HaltScope.EXECUTOR, target: 'one', requestId: 'halt-2', wait: { seconds: 10n } };
  expect((await world.client.stopAll(later)).halt?.complete).toBe(true);
  expect((await world.client.getHalt({})).halt?.id).toBe(halt?.id);

  await agents.get('three')?.start();
  const complete = await until(async () => {
    const now = (await world.client.getHalt({ id: halt?.id ?? '' })).halt;
    return now?.complete === true ? now : undefined;
  }, 'the third has acknowledged');
  expect(complete.acknowledgements.map(({ flat }) => flat)).toEqual([true, true, true]);
  await until(async () => (await world.session(third.id)).state === SessionState.STOPPED, 'the third session is over');
  const { positions } = await world.client.listPositions({ sessionId: third.id });
  expect(positions).toMatchObject([{ state: PositionState.CLOSED, exitPrice: '100' }]);
  const afterReturn = (await commandsOf('three')).filter((command) => command.requestId === exit || isStopAll(command));
  const stop = afterReturn.find(isStopAll);
  for (const command of afterReturn) {
    if (command !== stop && command.startTime !== undefined)
      expect(startMs(command)).toBeGreaterThanOrEqual(startMs(stop));
  }
  expect(stop?.state).toBe(CommandState.SUCCEEDED);
});

test('for one session stops that session alone', async () => {
  const [kept, halted] = [await trading('one'), await trading('one')];
  const { halt } = await world.client.stopAll({
    scope: HaltScope.SESSION,
    target: halted.id,
    closePositions: true,
    wait: { seconds: 5n },
  });
  expect(halt).toMatchObject({ complete: true, sessionIds: [halted.id] });
  expect((await world.session(halted.id)).state).toBe(SessionState.STOPPED);
  expect((await world.session(kept.id)).state).toBe(SessionState.ACTIVE);
  const { positions } = await world.client.listPositions({ sessionId: kept.id, openOnly: true });
  expect(positions).toHaveLength(1);
  await world.client.stopSession({ id: kept.id, closePositions: true });
});

function instanceOf(session: Session) {
  return world.neighbours.instances.get(session.activations[0]?.instanceId ?? '');
}

function isStopAll({ kind }: Command): boolean {
  return kind.case === 'stopAll';
}
