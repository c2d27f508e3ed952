import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { workload } from './workload.ts';

const NOTICED_WITHIN_MS = 15_000;
/** A tenth of a second to a second between two tries. */
const TRIES = 5;

test('NATS lets nobody in any more: replicas say once why, go on by their own looks, and come back', async () => {
  await using stack = await startStack({ commandReplicas: 2, nats: 'own' });
  await using recorder = await Recorder.start(stack, { watches: 1 });
  const agent = recorder.follow(
    await startRecordingAgent(stack, { credentials: await stack.createExecutor('hushed') }),
  );
  const { ownerReplica } = await online(stack, 'hushed');
  const other = stack.replicaCommandClient(1 - Number(ownerReplica.replace('command-', '')));
  const load = { agents: [agent], clients: 3, commandsEach: 10, clientsOf: [other] } as const;
  const plain = await readFile(join(stack.data.root, 'nats.conf'), 'utf8');

  await recorder.fault('nats refuses', false, async () => {
    await reconfigured(stack, `${plain}\nauthorization { user: other, password: secret }\n`);
    const tries = (): number => readFileSync(stack.data.log('nats'), 'utf8').split('authentication error').length - 1;
    const before = tries();
    await until(() => tries() > before + TRIES * 2, 'both replicas try again and again', NOTICED_WITHIN_MS);
    for (const replica of ['command-0', 'command-1']) {
      expect(lines(stack, replica, 'nats refuses').map(({ reason }) => reason)).toEqual(['AUTHORIZATION_VIOLATION']);
    }
    await workload(recorder, { ...load, seed: 1 });

    await reconfigured(stack, plain);
    await until(
      () => lines(stack, 'command-0', 'nats connected').length === 2,
      'it is let in again',
      NOTICED_WITHIN_MS,
    );
  });
  await workload(recorder, { ...load, seed: 2 });
  expect(await recorder.verdict()).toBe('');
});

async function reconfigured(stack: TestStack, config: string): Promise<void> {
  await writeFile(join(stack.data.root, 'nats.conf'), config);
  stack.nats?.current.signal('SIGHUP');
}

function lines(stack: TestStack, replica: string, message: string): Record<string, unknown>[] {
  return readFileSync(stack.data.log(replica), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"msg":"${message}"`))
    .map((line): Record<string, unknown> => JSON.parse(line));
}
