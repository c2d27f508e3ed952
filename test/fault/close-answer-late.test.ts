import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import type { WatchSessionResponse } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { pumpStrategy, SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
});

afterAll(() => world[Symbol.asyncDispose]());

test('the price of a position that was found gone is booked when the word for its close comes, and told once', async () => {
  const credentials = await world.stack.createExecutor('vps-1');
  const agent = await world.stack.startAgent({ credentials, env: { STRATEGOS_PAPER_LATENCY_MS: '2000' } });
  const session = await world.paper('vps-1', 'pump');
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  const exit = await world.decide(session, { type: IntentType.EXIT });
  const commands = world.stack.replicaCommandClient(0);
  const id = await until(async () => {
    const { commands: all } = await commands.listCommands({ filter: { kinds: ['close_position'] } });
    return all.find(({ requestId, state }) => requestId === exit && state === CommandState.RUNNING)?.id;
  }, 'the exit is being executed');
  await agent.kill();
  // With its journal it forgets the position and its close; what the venue has is known there alone.
  await rm(agent.journal, { recursive: true });
  await agent.start();
  await world.outcome(exit, OutcomeType.CLOSED);
  const position = async () => (await world.client.listPositions({ sessionId: session.id })).positions[0];
  expect(await position()).toMatchObject({ state: PositionState.CLOSED, exitPrice: '', pnl: '' });

  const { cursor } = await watchedUntil(session.id, '', ({ change }) => change.case === 'position');
  const quantity = (await position())?.quantity ?? '';
  const fills = [{ symbol: SYMBOL, side: Side.SELL, quantity, price: '110', fee: '0.5' }];
  await commands.settleCommand({ id, outcome: SettledOutcome.HAPPENED, note: 'order 78 is filled', fills });
  const event = await watchedUntil(
    session.id,
    cursor,
    ({ change }) => change.case === 'position' && change.value.exitPrice !== '',
  );
  expect(event.change.value).toMatchObject({ state: PositionState.CLOSED, exitPrice: '110', closeCommandId: id });
  const { pnl } = (await position()) ?? { pnl: '' };
  expect(Number(pnl)).toBeGreaterThan(0);
  expect((await world.session(session.id)).realisedPnl).toBe(pnl);
  expect([...world.neighbours.outcomes.values()].filter(({ type }) => type === OutcomeType.CLOSED)).toHaveLength(1);
});

/** What a watcher of the session is told after `cursor`, as far as the first change of that kind. */
async function watchedUntil(id: string, cursor: string, isIt: (event: WatchSessionResponse) => boolean) {
  for await (const event of world.client.watchSession({ id, cursor })) if (isIt(event)) return event;
  throw new Error('the watch has ended');
}
