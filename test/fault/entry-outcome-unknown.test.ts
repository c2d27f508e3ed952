import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { PositionState, SignalState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { pumpStrategy, SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
});

afterAll(() => world[Symbol.asyncDispose]());

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
