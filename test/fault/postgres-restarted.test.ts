import { expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { workload } from './workload.ts';

test('Postgres is restarted, killed, and stopped together with NATS, in the middle of the work', async () => {
  await using stack = await startStack({ commandReplicas: 2, postgres: 'own', nats: 'own' });
  await using recorder = await Recorder.start(stack, { watches: 2 });
  const agent = recorder.follow(
    await startRecordingAgent(stack, { credentials: await stack.createExecutor('worker') }),
  );
  await online(stack, 'worker');
  const clientsOf = [stack.replicaCommandClient(0), stack.replicaCommandClient(1), await stack.commandClient()];
  const stop = new AbortController();
  const load = workload(recorder, {
    seed: 7,
    agents: [agent],
    clients: 6,
    clientsOf,
    signal: stop.signal,
    thinkMsMax: 10,
  });
  const moreEffects = async (count: number): Promise<void> => {
    const before = agent.acts('effect').length;
    await until(() => agent.acts('effect').length >= before + count, `${count} more effects`, 30_000);
  };

  await moreEffects(50);
  await recorder.fault('postgres restarted', true, async () => stack.postgres?.restart());
  await moreEffects(50);
  await recorder.fault('postgres killed', true, async () => {
    await stack.postgres?.kill();
    await stack.postgres?.start();
  });
  await moreEffects(50);
  await recorder.fault('postgres and NATS stopped', true, async () => {
    await Promise.all([stack.nats?.stop(), stack.postgres?.stop()]);
    await stack.postgres?.start();
  });
  await moreEffects(50);
  await stack.nats?.start();
  await moreEffects(50);
  stop.abort();
  await load;
  expect(await recorder.verdict()).toBe('');
  process.stdout.write(`${recorder.summary}\n`);
});
