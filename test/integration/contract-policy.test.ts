import { ConnectError, createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import { reasonMetadataOf, reasonOf } from '../../services/platform/grpc/status.ts';
import { runCli } from '../harness/cli.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** Polls once as an agent of that wire format; the error it is refused with, undefined when it is served. */
async function poll(stack: TestStack, name: string, contractDigest: string): Promise<ConnectError | undefined> {
  const { keyId, secret } = await stack.createExecutor(name);
  const headers = { authorization: `Bearer ${keyId}.${secret}` };
  const transport = createGrpcTransport({
    urls: [stack.linkUrls[0] ?? ''],
    headers: () => headers,
    ownConnection: true,
  });
  const kinds = ['open_position', 'ping'];
  const hello = { journalId: name, agentVersion: '0.9.0', contractDigest, kinds, inFlightMax: 8 };
  try {
    await createClient(ExecutorLinkService, transport).pollCommands({ hello });
    return undefined;
  } catch (thrown) {
    return ConnectError.from(thrown);
  } finally {
    transport.close();
  }
}

async function kindsOf(stack: TestStack, executor: string): Promise<readonly string[]> {
  return (await (await stack.executorClient()).getExecutor({ executor })).executor?.kinds ?? [];
}

describe('by default', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test('an agent of this build is served, and one that nobody knows is refused with what to install', async () => {
    expect(await poll(stack, 'known', OWN_DIGEST)).toBeUndefined();
    const refusal = await poll(stack, 'stranger', 'f'.repeat(64));
    expect(refusal && reasonOf(refusal)).toBe('CONTRACT_UNSUPPORTED');
    expect(refusal && reasonMetadataOf(refusal)).toMatchObject({
      agent_version: '0.9.0',
      contract_digest: 'f'.repeat(64),
    });
    expect(refusal?.rawMessage).toContain('install an agent of version 1.0.0');
  });

  test('the fleet of an account that only has agents of this build can go on', async () => {
    expect(await poll(stack, 'member', OWN_DIGEST)).toBeUndefined();
    const { code, stdout } = await runCli(stack, ['contracts', 'can-deploy']);
    expect(stdout).toMatch(
      /member\s.*stays whole\s.*release \d+\.\d+\.\d+ is supported until|member\s.*stays whole\s.*wire format of this build/,
    );
    expect(code).toBe(0);
  });
});

test('where policy says so, an unknown agent is served with what only reads, and the fleet says that it would break', async () => {
  await using stack = await startStack({ commandEnv: { STRATEGOS_CONTRACT_POLICY: 'read_only' } });
  expect(await poll(stack, 'stranger', 'f'.repeat(64))).toBeUndefined();
  await until(async () => (await kindsOf(stack, 'stranger')).join() === 'ping', 'the executor offers what only reads');
  const { code, stdout, stderr } = await runCli(stack, ['contracts', 'can-deploy', '--days', '1']);
  expect(stdout).toMatch(/stranger\s.*0\.9\.0.*breaks\s.*no release has its wire format; known are 1\.0\.0/);
  expect(stderr).toContain('1 of 1 executors would break: stranger');
  expect(code).toBe(1);
  const json: unknown = JSON.parse((await runCli(stack, ['contracts', 'can-deploy', '--json'])).stdout);
  expect(json).toMatchObject({
    canDeploy: false,
    executors: [{ executor: 'stranger', breaks: true, differences: [] }],
  });
});
