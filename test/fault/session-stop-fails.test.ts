import { afterAll, beforeAll, expect, test } from 'vitest';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { pumpStrategy, SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

/** A repeat waits at least so long, and the next one at least twice as long. */
const FIRST_PAUSE_MS = 1_000;

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
});

afterAll(() => world[Symbol.asyncDispose]());

test('a stop that the venue refuses at once is repeated with growing pauses, until it succeeds', async () => {
  const credentials = await world.stack.createExecutor('vps-1');
  const agent = await startRecordingAgent(world.stack, { credentials });
  const { id } = await world.paper('vps-1', 'pump');
  agent.control({ kinds: ['stopSession'], fail: 'rejected' });
  await world.client.stopSession({ id });
  const refused = await until(async () => {
    const ended = await stops(id);
    return ended.length >= 3 && ended.every(({ state }) => state === CommandState.REJECTED) ? ended : undefined;
  }, 'three stops were refused');
  const times = refused.map(({ createTime }) => (createTime === undefined ? 0 : timestampMs(createTime)));
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(pauses[0]).toBeGreaterThanOrEqual(FIRST_PAUSE_MS);
  expect(pauses[1]).toBeGreaterThanOrEqual(2 * FIRST_PAUSE_MS);
  const { reason } = await world.session(id);
  expect(reason).toMatch(/^the stop is repeated: /);
  agent.control({});
  await until(async () => (await world.session(id)).state === SessionState.STOPPED, 'the session has stopped', 15_000);
});

/** Of the session, oldest first. */
async function stops(sessionId: string): Promise<Command[]> {
  const { commands } = await world.stack.replicaCommandClient(0).listCommands({ pageSize: 1_000 });
  return commands.filter(({ kind }) => kind.case === 'stopSession' && kind.value.sessionId === sessionId).toReversed();
}
