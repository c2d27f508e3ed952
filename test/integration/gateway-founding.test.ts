import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { recoverToken } from '../../services/gateway/recover-token.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { openGateways, refusal } from './gateway-harness.ts';

const logger = createLogger('test', 'silent');

describe('the first start', () => {
  test('writes one admin token that only its owner reads, and the next start leaves it alone', async () => {
    await using gateways = await openGateways();
    const url = await gateways.start();
    const bearer = await readFile(gateways.tokenFile, 'utf8');
    expect(bearer).toMatch(/^sop_\S+\n$/);
    expect((await stat(gateways.tokenFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(gateways.tokenFile))).toHaveLength(1);
    const founder = gateways.access(url, bearer.trim());
    expect((await founder.whoAmI({})).token).toMatchObject({ accountId: 'main', name: 'founder', role: Role.ADMIN });
    await gateways.start();
    expect(await readFile(gateways.tokenFile, 'utf8')).toBe(bearer);
    expect(gateways.logText()).not.toContain(bearer.trim());
  });

  test('of four replicas at once makes one token, and its file holds that one', async () => {
    await using gateways = await openGateways();
    const urls = await Promise.all([1, 2, 3, 4].map(() => gateways.start()));
    const bearer = await gateways.founder();
    for (const url of urls) {
      const { tokens } = await gateways.access(url, bearer).listTokens({});
      expect(tokens.map(({ name }) => name)).toEqual(['founder']);
    }
  });

  test('founds nothing when the file cannot be written, and does so once it can', async () => {
    await using gateways = await openGateways();
    const folder = dirname(gateways.tokenFile);
    // A file where the folder should be.
    await writeFile(folder, '');
    await expect(gateways.start()).rejects.toThrow(/cannot write the founding token to /);
    await rm(folder);
    const url = await gateways.start();
    expect((await gateways.access(url, await gateways.founder()).listTokens({})).tokens).toHaveLength(1);
  });

  test('replaces a token that was left from another database', async () => {
    await using gateways = await openGateways();
    await mkdir(dirname(gateways.tokenFile));
    await writeFile(gateways.tokenFile, 'sop_stale\n');
    await chmod(gateways.tokenFile, 0o644);
    const url = await gateways.start();
    expect((await stat(gateways.tokenFile)).mode & 0o777).toBe(0o600);
    expect((await gateways.access(url, await gateways.founder()).whoAmI({})).token?.name).toBe('founder');
  });

  test('without a file to write to makes no token', async () => {
    await using gateways = await openGateways();
    await gateways.start({ STRATEGOS_BOOTSTRAP_TOKEN_FILE: '' });
    expect(gateways.logText()).toContain('no file for a first token is set');
    const url = await gateways.start();
    expect((await gateways.access(url, await gateways.founder()).listTokens({})).tokens).toHaveLength(1);
  });
});

describe('recoverToken', () => {
  test('makes an admin token when every bearer is lost, and a start says how', async () => {
    await using gateways = await openGateways();
    const url = await gateways.start();
    await rm(gateways.tokenFile);
    await gateways.start();
    expect(gateways.logText()).toContain('strategos token recover');
    const recovered = await recoverToken({ databaseUrl: gateways.databaseUrl, name: 'rescue', logger });
    const rescue = gateways.access(url, recovered.bearer);
    expect((await rescue.whoAmI({})).token).toMatchObject({ id: recovered.id, accountId: 'main', role: Role.ADMIN });
    await expect(recoverToken({ databaseUrl: gateways.databaseUrl, name: 'rescue', logger })).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    await expect(recoverToken({ databaseUrl: gateways.databaseUrl, name: 'Bad Name', logger })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    await expect(recoverToken({ databaseUrl: 'postgres://u@127.0.0.1:1/x', name: 'a', logger })).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });

  test('works before the first start, which then founds nothing more', async () => {
    await using gateways = await openGateways();
    const { bearer } = await recoverToken({ databaseUrl: gateways.databaseUrl, name: 'early', logger });
    const url = await gateways.start();
    expect((await gateways.access(url, bearer).listTokens({})).tokens.map(({ name }) => name)).toEqual(['early']);
    const refused = await refusal(gateways.access(url, 'sop_x').whoAmI({}));
    expect(refused.code).toBe(Code.Unauthenticated);
  });
});
