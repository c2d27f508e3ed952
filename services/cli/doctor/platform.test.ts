import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { gatewayFinding } from './platform.ts';

let server: Server;

/** Address of a server that answers so, or not at all. */
async function listening(answer: string | undefined): Promise<string> {
  server = createServer((_, response) => {
    if (answer !== undefined) response.end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('a gateway that stands still is not taken for another service', async () => {
  const finding = await gatewayFinding(await listening(undefined), 200);
  expect(finding.verdict).toBe('fault');
  expect(finding.found).toContain('takes connections and has not answered within 200 ms');
  expect(finding.next).toContain('end it and start it again');
});

test('another service is told as one', async () => {
  const finding = await gatewayFinding(await listening('{"hello": "world"}'));
  expect(finding.found).toContain('is no gateway: its /readyz is not that of a gateway');
});
