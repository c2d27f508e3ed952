import type { JsonObject } from '@bufbuild/protobuf';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutorState, LinkKind } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { freePort } from '../../test/harness/port.ts';
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

/** What is not met when whoever asks over HTTP is answered `body`, and whoever asks otherwise gets `said`. */
async function unmet(pactName: string, body: JsonObject, said: JsonObject = {}): Promise<ReadonlySet<string>> {
  const stub = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => stub.listen(port, '127.0.0.1', resolve));
  using verification = new PactVerification();
  const pactFile = join(PACTS, pactName);
  const { interactions, provider } = await readPact(pactFile);
  const { frames } = await todaysFrames();
  try {
    const mismatches = await verification.verify(
      {
        ...verificationOf(pactFile, provider.name, interactions),
        messages: Object.fromEntries(frames.map((frame) => [frame.name, goldenOf(frame).json])),
        providerBaseUrl: `http://127.0.0.1:${port}`,
      },
      { answer: async () => said },
    );
    return new Set(mismatches.map(({ interaction }) => interaction));
  } finally {
    stub.closeAllConnections();
    stub.close();
  }
}

test('a handler that always answers the same does not pass for the platform', async () => {
  const welcome = {
    welcome: { streamEpoch: '1', heartbeatInterval: '8s', readTimeout: '20s', helloTime: '2024-01-01T00:00:00Z' },
  };
  const failed = await unmet(
    'executor-platform.json',
    { frames: [welcome], pollTime: '2024-01-01T00:00:00Z' },
    welcome,
  );
  expect(failed).toContain('a poll with a credential that nobody knows');
  expect(failed).toContain('a poll of a disabled executor');
  expect(failed).toContain('a report under an epoch that is not the newest');
  expect(failed).toContain('a heartbeat is answered with its number');
  expect(failed).toContain('a result is acknowledged');
  expect(failed).toContain('events of the venue are acknowledged');
  expect(failed).not.toContain('a hello is answered with a welcome');
});

test('an agent that always answers the same does not pass for one', async () => {
  const failed = await unmet('platform-executor.json', {}, { heartbeatReply: { number: '1' } });
  expect([...failed].toSorted()).toEqual([
    'an inquiry about a command that is with the agent is answered with how far it is',
    'an inquiry about a command that never came is answered with that',
  ]);
});

test('a handler that always answers the same does not pass for the gateway of a console', async () => {
  const listed = { name: 'vps-1', id: 'executor-1' };
  const failed = await unmet('console-gateway.json', { executors: [listed], cancelled: true }, { executor: listed });
  const { interactions } = await readPact(join(PACTS, 'console-gateway.json'));
  const met = interactions.map(({ description }) => description).filter((name) => !failed.has(name));
  // Besides what is answered here as it should be, that of which the console reads nothing: anything is an answer to it.
  expect(met.toSorted()).toEqual([
    'a command that waits is cancelled',
    'a strategy is deleted',
    'a strategy is saved',
    'an executor is disabled',
    'it is said that a command of which nobody knows has happened',
    'names of executors are offered',
    'names of executors are offered to somebody who may only look',
  ]);
});
