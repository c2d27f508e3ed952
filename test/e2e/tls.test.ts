import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { ExecutorState, LinkKind } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { freePort } from '../harness/port.ts';
import { gatewayEnvironment, serviceEntry } from '../../deploy/local/service-environment.ts';
import { ServiceProcess } from '../../deploy/local/service-process.ts';
import { getExecutor } from '../fault/observe.ts';
import { selfSignedCertificate, type TestCertificate } from '../harness/certificate.ts';
import { theServers } from '../harness/current-run.ts';
import { runCli } from '../harness/run-cli.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

test('a gateway with a certificate, and a proxy that ends TLS before the executor port, serve agents and the command line', async () => {
  const certificate = selfSignedCertificate();
  const folder = await mkdtemp(join((await theServers()).directory, 'tls-'));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(certFile, certificate.cert);
  await writeFile(keyFile, certificate.key, { mode: 0o600 });
  await using stack = await startStack();
  await using gateway = await tlsGateway(stack, certFile, keyFile);
  await using proxy = await tlsProxy(certificate, stack.linkUrls[0] ?? '');
  const gatewayUrl = `https://localhost:${gateway.ports['gateway']}`;
  const trusting = { NODE_EXTRA_CA_CERTS: certFile };

  for (const [name, linkUrl] of [
    ['by-stream', `https://localhost:${proxy.port}`],
    // Nothing listens there.
    ['by-poll', 'https://localhost:1'],
  ] as const) {
    const credentials = await stack.createExecutor(name);
    await stack.startAgent({ credentials, linkUrls: [linkUrl], gatewayUrl, env: trusting });
    await until(
      async () => (await getExecutor(stack, name)).state === ExecutorState.ONLINE,
      `${name} is online`,
      30_000,
    );
    const { link } = await getExecutor(stack, name);
    expect(LinkKind[link]).toBe(name === 'by-stream' ? 'STREAM' : 'POLL');
    expect(await sendPing(stack, name, { STRATEGOS_URL: gatewayUrl, ...trusting })).toMatchObject({ code: 0 });
  }
  const distrusting = await sendPing(stack, 'by-stream', { STRATEGOS_URL: gatewayUrl });
  expect(distrusting.code).toBe(1);
  expect(distrusting.stderr).toContain('certificate');
});

async function sendPing(stack: TestStack, executor: string, env: Readonly<Record<string, string>>) {
  return runCli(['command', 'send', executor, 'ping', '--wait', '20s'], {
    ...env,
    STRATEGOS_TOKEN: await stack.token(),
  });
}

/** Another replica of the stack's gateway, with a certificate. */
async function tlsGateway(stack: TestStack, certFile: string, keyFile: string): Promise<ServiceProcess> {
  const { shared, data } = stack;
  const name = 'gateway-tls';
  return ServiceProcess.start({
    name,
    entry: serviceEntry('gateway'),
    env: {
      ...gatewayEnvironment(shared, { port: await freePort(), tokenFile: data.tokenFile }),
      STRATEGOS_TLS_CERT_FILE: certFile,
      STRATEGOS_TLS_KEY_FILE: keyFile,
    },
    logFile: data.log(name),
    recordFile: data.record(name),
  });
}

/** Takes TLS, agrees on HTTP/2, and passes the bytes on in plaintext. */
async function tlsProxy(certificate: TestCertificate, target: string): Promise<{ port: number } & AsyncDisposable> {
  const { hostname, port } = new URL(target);
  const server = createServer({ ...certificate, ALPNProtocols: ['h2'] }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
