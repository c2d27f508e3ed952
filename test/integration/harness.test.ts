import {
  HealthCheckResponse_ServingStatus as ServingStatus,
  Health,
} from '../../proto/gen/grpc/health/v1/health_pb.js';
import { createClient } from '@connectrpc/connect';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { processIdentity } from '../../deploy/local/process-record.ts';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import { createDatabase } from '../harness/database.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

async function healthOf(url: string): Promise<ServingStatus> {
  const transport = createGrpcTransport({ urls: [url], timeoutMs: 1_000, ownConnection: true });
  try {
    return (await createClient(Health, transport).check({ service: '' })).status;
  } finally {
    transport.close();
  }
}

async function serves(stack: TestStack, replica: number): Promise<void> {
  const url = stack.commandUrls[replica] ?? '';
  await until(async () => (await healthOf(url)) === ServingStatus.SERVING, `replica ${replica} serves`, 20_000);
}

describe('the harness', () => {
  test('databases are migrated, of their own, and gone when disposed', async () => {
    let url: string;
    {
      await using first = await createDatabase();
      await using second = await createDatabase();
      ({ url } = first);
      expect(first.name).not.toBe(second.name);
      const client = new Client({ connectionString: url });
      await client.connect();
      const schemas = await client.query(
        `SELECT nspname FROM pg_namespace WHERE nspname IN ('command', 'gateway') ORDER BY nspname`,
      );
      await client.end();
      expect(schemas.rows.map((row: { nspname: string }) => row.nspname)).toEqual(['command', 'gateway']);
    }
    const late = new Client({ connectionString: url });
    await expect(late.connect()).rejects.toThrow(/does not exist/);
  });

  test('a replica is killed, started again on its ports, paused and resumed', async () => {
    await using stack = await startStack({ commandReplicas: 2 });
    await serves(stack, 0);
    const { pid } = stack.replica(0).current;
    await stack.killReplica(0);
    expect(await processIdentity(pid)).toBeUndefined();
    await expect(healthOf(stack.commandUrls[0] ?? '')).rejects.toThrow();
    await serves(stack, 1);

    await stack.replica(0).start();
    await serves(stack, 0);
    stack.replica(0).pause();
    await expect(healthOf(stack.commandUrls[0] ?? '')).rejects.toThrow();
    stack.replica(0).resume();
    await serves(stack, 0);
  });

  test('clients reach the platform through the gateway and one replica directly', async () => {
    await using stack = await startStack();
    const credentials = await stack.createExecutor('vps-1', { region: 'fra' });
    expect(credentials.linkUrls).toEqual(stack.linkUrls);
    const executors = await stack.executorClient();
    const { executor } = await executors.getExecutor({ executor: 'vps-1' });
    expect(executor?.id).toBe(credentials.executorId);
    const access = await stack.accessClient();
    expect((await access.whoAmI({})).token?.accountId).toBe('main');
  });

  test("a stack's own NATS and PostgreSQL stop and start on their ports", async () => {
    await using stack = await startStack({ nats: 'own', postgres: 'own', gateway: false });
    await serves(stack, 0);
    await stack.nats?.stop();
    await stack.nats?.start();
    const before = await stack.createExecutor('kept');
    await stack.postgres?.kill();
    await stack.postgres?.start();
    const { executor } = await until(
      () => stack.replicaExecutorClient(0).getExecutor({ executor: 'kept' }),
      'the service finds its database again',
    );
    expect(executor?.id).toBe(before.executorId);
  });

  test('without NATS nothing listens at its address and the services serve all the same', async () => {
    await using stack = await startStack({ nats: 'none', gateway: false });
    await serves(stack, 0);
    await stack.createExecutor('quiet');
  });
});
