import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutorState, LinkKind } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { freePort } from '../../deploy/local/port.ts';
import { theServers } from '../../test/harness/current-run.ts';
import { STATES } from '../consumers/executor-http.ts';
import { todaysFrames, goldenOf } from '../golden/make.ts';
import { PACTS } from '../releases/release.ts';
import { DoorProxy } from './door-proxy.ts';
import { LivePlatform } from './live-platform.ts';
import { setUpState } from './states.ts';
import { readPact } from './pact-file.ts';
import { PactVerification, verificationOf } from './verification.ts';

let platform: LivePlatform;
let door: DoorProxy;
beforeAll(async () => {
  platform = await LivePlatform.start(await theServers());
  door = await DoorProxy.start(platform.gatewayUrl);
});
afterAll(async () => {
  await door[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

async function newest() {
  const { executors } = await platform.executors.listExecutors({});
  return executors.toSorted((a, b) => a.id.localeCompare(b.id)).at(-1);
}

test('a state is made of rows of the real services', async () => {
  await setUpState(STATES.known, platform, door);
  expect((await newest())?.state).toBe(ExecutorState.NEVER_CONNECTED);
  await setUpState(STATES.polling, platform, door);
  expect(await newest()).toMatchObject({ link: LinkKind.POLL, streamEpoch: 1n, state: ExecutorState.ONLINE });
  await setUpState(STATES.disabled, platform, door);
  expect((await newest())?.state).toBe(ExecutorState.DISABLED);
  await expect(setUpState('a state of which nobody knows', platform, door)).rejects.toThrow('add it to');
});

test('a handler that always answers the same does not pass for the service', async () => {
  const welcome = {
    welcome: { streamEpoch: '1', heartbeatInterval: '8s', readTimeout: '20s', helloTime: '2024-01-01T00:00:00Z' },
  };
  const stub = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ frames: [welcome], pollTime: '2024-01-01T00:00:00Z' }));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => stub.listen(port, '127.0.0.1', resolve));
  using verification = new PactVerification();
  const pactFile = join(PACTS, 'executor-platform.json');
  const { interactions } = await readPact(pactFile);
  const { frames } = await todaysFrames();
  const mismatches = await verification.verify({
    provider: 'platform',
    ...verificationOf(pactFile, interactions),
    messages: Object.fromEntries(frames.map((frame) => [frame.name, goldenOf(frame).json])),
    providerBaseUrl: `http://127.0.0.1:${port}`,
  });
  stub.close();
  const failed = new Set(mismatches.map(({ interaction }) => interaction));
  expect(failed).toContain('a poll with a credential that nobody knows');
  expect(failed).toContain('a poll of a disabled executor');
  expect(failed).toContain('a report under an epoch that is not the newest');
});
