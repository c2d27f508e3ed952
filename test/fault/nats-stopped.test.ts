import { expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { ended, ms, online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { ping } from './wishes.ts';
import { workload } from './workload.ts';

/** "By the sweep within a second", and room for a busy machine. */
const SWEPT_WITHIN_MS = 1_500;

test('NATS is stopped and comes back: commands issued on another replica go on, by the sweep within a second', async () => {
  await using stack = await startStack({ commandReplicas: 2, nats: 'own' });
  await using recorder = await Recorder.start(stack, { watches: 2 });
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials: await stack.createExecutor('deaf') }));
  const { ownerReplica } = await online(stack, 'deaf');
  const owner = Number(ownerReplica.replace('command-', ''));
  const other = stack.replicaCommandClient(1 - owner);
  const load = { agents: [agent], clients: 5, commandsEach: 30, clientsOf: [other] } as const;

  await workload(recorder, { ...load, seed: 1 });
  await recorder.fault('nats stopped', false, async () => {
    const during = workload(recorder, { ...load, seed: 2 });
    await stack.nats?.stop();
    await during;
    await workload(recorder, { ...load, seed: 3 });
    // One command and nothing else, so that only the sweep can find it.
    const single = await recorder.issue(agent, ping('by the sweep'), { client: other });
    const { createTime, receivedTime } = await ended(other, single.id);
    expect(ms(receivedTime) - ms(createTime)).toBeLessThan(SWEPT_WITHIN_MS);
    // A replica that starts without NATS serves all the same.
    await stack.replica(1 - owner).restart();
    await workload(recorder, { ...load, seed: 4 });
    const back = workload(recorder, { ...load, seed: 5 });
    await stack.nats?.start();
    await back;
  });
  await workload(recorder, { ...load, seed: 6 });
  expect(await recorder.verdict()).toBe('');
  process.stdout.write(`${recorder.summary}\n`);
});
