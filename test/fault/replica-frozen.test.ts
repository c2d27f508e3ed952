import { expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { ended, online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition, ping } from './wishes.ts';
import { workload } from './workload.ts';

const NOTICED_WITHIN_MS = 30_000;

test('the replica that holds the stream is frozen: the agent moves, and thawed it changes nothing any more', async () => {
  await using stack = await startStack({ commandReplicas: 2 });
  await using recorder = await Recorder.start(stack);
  const control = { hold: 'after', kinds: ['closePosition'] } as const;
  const credentials = await stack.createExecutor('moved');
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials, control }));
  const before = await online(stack, 'moved', { replica: 1 });
  const owner = Number(before.ownerReplica.replace('command-', ''));
  const other = 1 - owner;
  const clientsOf = [stack.replicaCommandClient(other)] as const;
  const load = { agents: [agent], clients: 3, commandsEach: 20, clientsOf } as const;
  // Started, and its result will come over another stream than its start.
  const running = await recorder.issue(agent, closePosition('elsewhere', 'x', 'BTC'), { client: clientsOf[0] });
  await agent.seen('effect', running.id);

  const beganMs = performance.now();
  await recorder.fault('owning replica frozen', true, async () => {
    stack.replica(owner).pause();
    const waiting = await recorder.issue(agent, ping('issued elsewhere'), { client: clientsOf[0] });
    const moved = await online(stack, 'moved', { replica: other, afterEpoch: before.streamEpoch });
    expect(moved.ownerReplica).toBe(`command-${other}`);
    expect(performance.now() - beganMs).toBeLessThan(NOTICED_WITHIN_MS);
    await ended(clientsOf[0], waiting.id);
    agent.control({});
    await ended(clientsOf[0], running.id);
    await workload(recorder, { ...load, seed: 31 });
    stack.replica(owner).resume();
  });
  await workload(recorder, { ...load, seed: 32, clientsOf: [stack.replicaCommandClient(owner), clientsOf[0]] });
  expect((await online(stack, 'moved', { replica: owner })).ownerReplica).toBe(`command-${other}`);
  expect(await recorder.verdict()).toBe('');
});
