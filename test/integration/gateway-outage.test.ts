import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { reasonMetadataOf } from '../../services/platform/grpc/status.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { refusal } from './gateway-harness.ts';

/** Longer than any token may be remembered. */
const FORGOTTEN_WITHIN_MS = 1_500;

test('while Postgres is away every token is refused with a sentence, and all comes back by itself', async () => {
  await using stack = await startStack({ postgres: 'own' });
  const access = await stack.accessClient();
  expect((await access.whoAmI({})).token?.name).toBe('founder');
  await stack.postgres?.stop();
  const refused = await until(
    async () => {
      const error = await refusal(access.whoAmI({}));
      return error.code === Code.Unavailable && error;
    },
    'tokens are no longer accepted',
    FORGOTTEN_WITHIN_MS,
  );
  expect(refused.rawMessage).toContain('the database of accounts and tokens cannot be reached right now');
  expect(reasonMetadataOf(refused)).toEqual({ dependency: 'postgres' });
  await until(
    async () => (await fetch(`${stack.gatewayUrl}/readyz`)).status === 503,
    'the gateway says that it is not ready',
  );
  expect((await fetch(`${stack.gatewayUrl}/healthz`)).status).toBe(200);
  await stack.postgres?.start();
  await until(async () => (await access.whoAmI({})).token?.name === 'founder', 'tokens are accepted again');
  await until(async () => (await fetch(`${stack.gatewayUrl}/readyz`)).status === 200, 'the gateway is ready again');
});

test('calls go past a replica of the command service that is killed', async () => {
  await using stack = await startStack({ commandReplicas: 2 });
  const executors = await stack.executorClient();
  const commands = await stack.commandClient();
  await executors.createExecutor({ name: 'vps-1' });
  await stack.killReplica(0);
  for (let call = 0; call < 10; call++) {
    const request = { executor: 'vps-1', requestId: `call-${call}`, kind: { case: 'ping' as const, value: {} } };
    // The first may have been on its way to the dead: its request id makes it safe to repeat, as a caller would.
    const { command } = await commands.issueCommand(request).catch((thrown: unknown) => {
      if (call > 0 || ConnectError.from(thrown).code !== Code.Unavailable) throw thrown;
      return commands.issueCommand(request);
    });
    expect(command?.executorName).toBe('vps-1');
  }
});
