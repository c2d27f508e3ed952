import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { ended, online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { ping } from './wishes.ts';

const ROOM = 8;
/** More than there is room for. */
const CONNECTIONS = 64;
const NONE_LEFT = 'no file descriptors left, new connections are reset';
const AGAIN = 'file descriptors are to be had again';

const held: Socket[] = [];
afterEach(() => letGo());

test('gateway and replica run out of file descriptors: each says so, what is open goes on, and all recovers', async () => {
  await using stack = await startStack();
  await using recorder = await Recorder.start(stack, { watches: 1 });
  const agent = recorder.follow(await startRecordingAgent(stack, { credentials: await stack.createExecutor('full') }));
  await online(stack, 'full');
  const client = await stack.commandClient();
  await ended(client, (await recorder.issue(agent, ping('before'))).id);
  const { gateway } = stack;
  if (gateway === undefined) throw new Error('this stack has a gateway');
  const parts = [
    { process: gateway.current, url: stack.gatewayUrl },
    { process: stack.replica(0).current, url: stack.commandUrls[0] ?? '' },
  ];

  await recorder.fault('no file descriptors left', false, async () => {
    for (const { process, url } of parts) {
      limitToOpen(process.pid);
      for (let n = 0; n < CONNECTIONS; n++) hold(url);
    }
    for (const { process } of parts) await until(() => says(process.log.path, NONE_LEFT), 'it says so');
    await expect(freshly(`${stack.gatewayUrl}/readyz`)).rejects.toThrow(/ECONNRESET|socket hang up/);
    const during = await ended(client, (await recorder.issue(agent, ping('during'))).id);
    expect(CommandState[during.state]).toBe('SUCCEEDED');
    letGo();
    for (const { process } of parts) await until(() => says(process.log.path, AGAIN), 'it says that it is over');
  });
  await until(async () => (await freshly(`${stack.gatewayUrl}/readyz`)) === 200, 'new connections are taken');
  expect(await recorder.verdict()).toBe('');
});

/** Leaves a process room for few more connections than it has open now. */
function limitToOpen(pid: number): void {
  const open = readdirSync(`/proc/${pid}/fd`).length;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${open + ROOM}:`]);
}

/** Opens a connection that asks for nothing. Some of them are reset: that is what this is about. */
function hold(url: string): void {
  const { hostname, port } = new URL(url);
  held.push(connect(Number(port), hostname).on('error', (error) => expect(error.message).toContain('ECONNRESET')));
}

function letGo(): void {
  for (const socket of held.splice(0)) socket.destroy();
}

/** The status of an answer that came over a connection of its own. */
function freshly(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('timeout', () => reject(new Error('no answer')))
      .on('error', reject);
  });
}

function says(path: string, message: string): boolean {
  return readFileSync(path, 'utf8').includes(message);
}
