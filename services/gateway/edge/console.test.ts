import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { createConsole } from './console.ts';

const INDEX = '<!doctype html><title>console</title>';
const SCRIPT = 'export {};\n'.repeat(100);
const PAGE = { accept: 'text/html,application/xhtml+xml' };

let directory: string;
let server: Server;
let url: string;
let builds = 0;
let failing = false;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'console-'));
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), INDEX);
  await writeFile(join(directory, 'assets', 'index-a1.js'), SCRIPT);
  await writeFile(join(directory, 'assets', 'index-a1.js.gz'), gzipSync(SCRIPT));
  const console = createConsole(createLogger('gateway', 'silent'), () => {
    builds += 1;
    return failing ? Promise.reject(new Error('no bundler')) : Promise.resolve(directory);
  });
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (console.serves(request, path)) console.answer(request, response, path);
    else response.writeHead(404).end('not the console');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

describe('the console', () => {
  test('a failed build is told, and the next request tries again', async () => {
    failing = true;
    const refused = await fetch(url, { headers: PAGE });
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('the log of the gateway says why');
    failing = false;
    expect((await fetch(url, { headers: PAGE })).status).toBe(200);
    await Promise.all([fetch(url, { headers: PAGE }), fetch(url, { headers: PAGE })]);
    expect(builds).toBe(2);
  });

  test.each(['/', '/commands', '/commands/0190f3c1', '/sessions/a/b?tab=x'])(
    'a browser gets the page at %s',
    async (path) => {
      const answer = await fetch(`${url}${path}`, { headers: PAGE });
      expect(await answer.text()).toBe(INDEX);
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      const again = await fetch(`${url}${path}`, {
        headers: { ...PAGE, 'if-none-match': answer.headers.get('etag') ?? '' },
      });
      expect(again.status).toBe(304);
    },
  );

  test.each([
    { path: '/', headers: { accept: '*/*' } },
    { path: '/commands', headers: {} },
    { path: '/healthz', headers: PAGE },
    { path: '/readyz', headers: PAGE },
    { path: '/strategos.command.v1.CommandService/GetCommand', headers: PAGE },
    { path: '/etc/passwd.txt', headers: PAGE },
  ])('leaves $path with $headers to others', async ({ path, headers }) => {
    expect(await (await fetch(`${url}${path}`, { headers })).text()).toBe('not the console');
  });

  test('answers only what asks', async () => {
    expect((await fetch(url, { method: 'POST', headers: PAGE })).status).toBe(404);
    const head = await fetch(url, { method: 'HEAD', headers: PAGE });
    expect(head.headers.get('content-length')).toBe(String(INDEX.length));
    expect(await head.text()).toBe('');
  });

  test('files with a digest in their name are kept for ever, and sent compressed to those that take it', async () => {
    const plain = await fetch(`${url}/assets/index-a1.js`, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(SCRIPT);
    const zipped = await fetch(`${url}/assets/index-a1.js`, { headers: { 'accept-encoding': 'gzip, br;q=0' } });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(zipped.headers.get('vary')).toBe('accept-encoding');
    expect(Number(zipped.headers.get('content-length'))).toBeLessThan(gunzipSync(gzipSync(SCRIPT)).length);
    expect(await zipped.text()).toBe(SCRIPT);
  });

  test.each(['/assets/index-b2.js', '/assets/../index.html', '/assets/%2e%2e/%2e%2e/package.json'])(
    'has nothing at %s',
    async (path) => {
      const answer = await fetch(`${url}${path}`);
      expect(answer.status).toBe(404);
    },
  );
});
