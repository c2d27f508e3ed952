import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { resolveSettings, resolveUrl } from './settings.ts';
import { EXIT } from './terminal/errors.ts';

describe('where to call and as whom', () => {
  let data: string;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'strategos-unit-'));
    for (const name of ['STRATEGOS_URL', 'STRATEGOS_TOKEN', 'STRATEGOS_DATA']) vi.stubEnv(name, '');
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(data, { recursive: true });
  });

  async function platformRanHere(): Promise<void> {
    await writeFile(join(data, 'url'), 'http://127.0.0.1:7070\n');
    await writeFile(join(data, 'token'), 'sop_founder\n');
  }

  test('the data folder knows both', async () => {
    await platformRanHere();
    expect(await resolveSettings({ data })).toEqual({ url: 'http://127.0.0.1:7070', token: 'sop_founder' });
    vi.stubEnv('STRATEGOS_DATA', data);
    expect(await resolveSettings({})).toEqual({ url: 'http://127.0.0.1:7070', token: 'sop_founder' });
  });

  test('options win over the environment, which wins over the data folder', async () => {
    await platformRanHere();
    vi.stubEnv('STRATEGOS_URL', 'http://127.0.0.1:1');
    vi.stubEnv('STRATEGOS_TOKEN', 'sop_env');
    expect(await resolveSettings({ data })).toEqual({ url: 'http://127.0.0.1:1', token: 'sop_env' });
    const options = { data, url: 'http://127.0.0.1:2', token: 'sop_option' };
    expect(await resolveSettings(options)).toEqual({ url: 'http://127.0.0.1:2', token: 'sop_option' });
  });

  test("the data folder's token is never sent to another machine", async () => {
    await platformRanHere();
    await expect(resolveSettings({ data, url: 'https://strategos.example.com' })).rejects.toMatchObject({
      exitCode: EXIT.failed,
      message: 'no token for https://strategos.example.com; set --token or STRATEGOS_TOKEN',
    });
    expect((await resolveSettings({ data, url: 'http://localhost:7070' })).token).toBe('sop_founder');
  });

  test.each(['http://127.0.0.1.example.com:7070', 'http://localhost.example.com', 'http://127.example.com'])(
    "the data folder's token is not sent to %s, which only looks like this machine",
    async (url) => {
      await platformRanHere();
      await expect(resolveSettings({ data, url })).rejects.toMatchObject({ exitCode: EXIT.failed });
    },
  );

  test("the data folder's token is sent to its own platform wherever that listens, and to this machine by any name", async () => {
    await platformRanHere();
    await writeFile(join(data, 'url'), 'http://192.0.2.7:7070\n');
    expect(await resolveSettings({ data })).toEqual({ url: 'http://192.0.2.7:7070', token: 'sop_founder' });
    expect((await resolveSettings({ data, url: 'http://[::1]:7070' })).token).toBe('sop_founder');
    await expect(resolveSettings({ data, url: 'http://192.0.2.8:7070' })).rejects.toMatchObject({
      exitCode: EXIT.failed,
    });
  });

  test('without a platform the sentence says how to get one', async () => {
    await expect(resolveUrl({ data })).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringMatching(/no platform has been started on .*strategos up.*STRATEGOS_URL/),
    });
  });

  test.each(['127.0.0.1:7070', 'ftp://127.0.0.1', 'nonsense'])('%s is no address', async (url) => {
    await expect(resolveUrl({ data, url })).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});
