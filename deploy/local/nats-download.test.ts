import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchRelease, pinnedRelease } from './nats-download.ts';

const run = promisify(execFile);
const MEMBER = 'nats-server-v0-test/nats-server';

describe('fetching a release', () => {
  let directory: string;
  let archive: Buffer;
  let server: Server;
  let url: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'strategos-unit-'));
    await mkdir(join(directory, 'nats-server-v0-test'));
    await writeFile(join(directory, MEMBER), '#!/bin/sh\necho nats-server: v0-test\n');
    await chmod(join(directory, MEMBER), 0o755);
    await run('tar', ['-czf', 'release.tar.gz', MEMBER], { cwd: directory });
    archive = await readFile(join(directory, 'release.tar.gz'));
    server = createServer((request, response) => {
      response.statusCode = request.url === '/release.tar.gz' ? 200 : 404;
      response.end(request.url === '/release.tar.gz' ? archive : '');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/release.tar.gz`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });

  test('bytes with the pinned checksum are unpacked to a program that runs', async () => {
    const sha256 = createHash('sha256').update(archive).digest('hex');
    const program = await fetchRelease({ url, sha256, member: MEMBER }, join(directory, 'into'));
    expect((await run(program)).stdout).toBe('nats-server: v0-test\n');
  });

  test('other bytes are refused and nothing is written', async () => {
    const into = join(directory, 'into');
    const release = { url, sha256: '0'.repeat(64), member: MEMBER };
    await expect(fetchRelease(release, into)).rejects.toThrow(/has checksum .* nothing was installed/);
    await expect(readFile(join(into, 'nats-server.tar.gz'))).rejects.toThrow(/ENOENT/);
  });

  test('a refusal of the server is told', async () => {
    const release = { url: `${url}.missing`, sha256: '0'.repeat(64), member: MEMBER };
    await expect(fetchRelease(release, join(directory, 'into'))).rejects.toThrow(/answered 404/);
  });

  test('releases are pinned for Linux, by a checksum', () => {
    expect(pinnedRelease('linux', 'x64')?.url).toMatch(/-linux-amd64\.tar\.gz$/);
    expect(pinnedRelease('linux', 'arm64')?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(pinnedRelease('win32', 'x64')).toBeUndefined();
  });
});
