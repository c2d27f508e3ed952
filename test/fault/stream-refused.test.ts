import { expect, test } from 'vitest';
import { LinkKind } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';
import { getExecutor, online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { workload } from './workload.ts';

test('an agent that gets no stream polls, through the death of the replica that it polls, and goes back to a stream', async () => {
  await using stack = await startStack({ commandReplicas: 2 });
  await using recorder = await Recorder.start(stack);
  await using proxy = await TcpProxy.start(Number(new URL(stack.linkUrls[0] ?? '').port));
  proxy.refuse();
  const credentials = await stack.createExecutor('poller');
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials, linkUrls: [proxy.url] }));
  const polling = await online(stack, 'poller');
  expect(polling.link).toBe(LinkKind.POLL);
  const load = { agents: [agent], clients: 4, commandsEach: 25 } as const;

  await workload(recorder, { ...load, seed: 21 });
  const during = workload(recorder, { ...load, seed: 22 });
  const owner = Number(polling.ownerReplica.replace('command-', ''));
  await recorder.fault('polled replica killed', false, () => stack.killReplica(owner));
  const moved = await online(stack, 'poller', { replica: 1 - owner, afterEpoch: polling.streamEpoch });
  expect(moved).toMatchObject({ link: LinkKind.POLL, ownerReplica: `command-${1 - owner}` });
  await during;
  await stack.replica(owner).start();

  const back = workload(recorder, { ...load, seed: 23 });
  proxy.heal();
  await until(async () => (await getExecutor(stack, 'poller')).link === LinkKind.STREAM, 'a stream again', 30_000);
  await back;
  await workload(recorder, { ...load, seed: 24 });
  expect(await recorder.verdict()).toBe('');
});
