import { expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { concurrently } from './concurrently.ts';
import { online } from './observe.ts';
import { Recorder, type Wish } from './recorder.ts';
import { closePosition, openPosition, ping, stopSession } from './wishes.ts';

const COMMANDS = 1_000;
const CLIENTS = 20;
const KILL_AFTER = 300;

test('the owner of the stream is killed in the middle of 1 000 commands that are issued on the other replica', async () => {
  await using stack = await startStack({ commandReplicas: 2 });
  await using recorder = await Recorder.start(stack);
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials: await stack.createExecutor('mover') }));
  const before = await online(stack, 'mover', { replica: 1 });
  const owner = Number(before.ownerReplica.replace('command-', ''));
  const other = 1 - owner;
  const client = stack.replicaCommandClient(other);

  let issued = 0;
  const wishes = Array.from({ length: COMMANDS }, (_, n) => wish(n));
  const issuing = concurrently(wishes, CLIENTS, async (each) => {
    const command = await recorder.issue(agent, each, { client });
    issued += 1;
    return command;
  });
  await until(() => issued >= KILL_AFTER, `${KILL_AFTER} commands are issued`, 30_000);
  await recorder.fault('owning replica killed', false, () => stack.killReplica(owner));
  const after = await online(stack, 'mover', { replica: other, afterEpoch: before.streamEpoch });
  expect(after.ownerReplica).toBe(`command-${other}`);
  const commands = await issuing;

  expect(await recorder.verdict()).toBe('');
  process.stdout.write(`${recorder.summary}\n`);
  const effects = agent.acts('effect').map((effect) => effect.commandId);
  expect(effects.toSorted()).toEqual(commands.map((command) => command.id).toSorted());
});

/** Orders and exits of several sessions, a stop now and then, pings between them. */
function wish(n: number): Wish {
  const session = `s${n % 7}`;
  if (n % 10 === 0) return ping(`ping ${n}`);
  if (n % 50 === 1) return stopSession(session);
  return n % 2 === 0 ? closePosition(session, `x${n % 3}`, 'BTC') : openPosition(session, `x${n % 3}`, 'ETH');
}
