import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from './config.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-config-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, content: unknown, mode = 0o600): string {
  const file = join(directory, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content), { mode });
  chmodSync(file, mode);
  return file;
}

const CREDENTIALS = {
  executorId: 'e1',
  executorName: 'vps-1',
  keyId: 'k1',
  secret: 'hush-hush',
  linkUrls: ['http://127.0.0.1:7080'],
  gatewayUrl: 'http://127.0.0.1:7070',
};

describe('the configuration of an executor', () => {
  test('is a credentials file and nothing else, with the journal beside it', () => {
    const config = loadConfig({ credentialsFile: write('vps-1.json', CREDENTIALS) }, {});
    expect(config).toMatchObject({
      credentials: { keyId: 'k1', linkUrls: ['http://127.0.0.1:7080'], gatewayUrl: 'http://127.0.0.1:7070' },
      journalDirectory: join(directory, 'vps-1.journal'),
      limits: {},
      warnings: [],
    });
    expect(config.credentials.secret.reveal()).toBe('hush-hush');
    expect(inspect(config, { depth: 9 })).not.toContain('hush');
  });

  test('warns when others may read the secret', () => {
    const file = write('vps-1.json', CREDENTIALS, 0o644);
    expect(loadConfig({ credentialsFile: file }, {}).warnings).toEqual([
      `other users of this machine may read ${file}: run chmod 600 ${file}`,
    ]);
  });

  test('flags win over the environment, and that over the file', () => {
    const credentials = write('vps-1.json', CREDENTIALS);
    const configFile = write('config.json', {
      credentials,
      journal: '/from/file',
      logLevel: 'warn',
      limits: { symbols: ['BTC'], maxQuantity: 2, maxOpenPositions: 3, kinds: ['ping'] },
      paper: { latencyMs: 5 },
    });
    const env = { STRATEGOS_JOURNAL: '/from/env', STRATEGOS_LOG_LEVEL: 'error', STRATEGOS_LIMIT_SYMBOLS: 'ETH, SOL' };
    const config = loadConfig({ configFile, journalDirectory: '/from/flag' }, env);
    expect(config).toMatchObject({
      journalDirectory: '/from/flag',
      logLevel: 'error',
      limits: { symbols: ['ETH', 'SOL'], maxQuantity: '2', maxOpenPositions: 3, kinds: ['ping'] },
      paper: { latencyMs: 5 },
    });
  });

  test('does without a file when the environment says it all', () => {
    const config = loadConfig(
      {},
      { STRATEGOS_KEY_ID: 'k', STRATEGOS_SECRET: 's', STRATEGOS_LINK_URLS: 'http://a:1,https://b' },
    );
    expect(config.credentials.linkUrls).toEqual(['http://a:1', 'https://b']);
    expect(config.journalDirectory).toBe('strategos-executor.journal');
  });

  test('names every bad setting at once, each with where it was set', () => {
    const configFile = write('config.json', { limits: { maxQuantity: '-1', maxSize: 3 } });
    const env = { STRATEGOS_IN_FLIGHT_MAX: '0', STRATEGOS_LIMIT_KINDS: 'ping,dance', STRATEGOS_LINK_URLS: 'ftp://x' };
    const problems = problemsOf(() => loadConfig({ configFile }, env));
    expect(problems).toContain(`${configFile}, limits.maxQuantity: must be a decimal number above zero`);
    expect(problems).toContain(`${configFile}, limits.maxSize: is no setting`);
    expect(problems).toContain('STRATEGOS_IN_FLIGHT_MAX:');
    expect(problems).toContain('STRATEGOS_LIMIT_KINDS: must be among start_strategy');
    expect(problems).toContain('STRATEGOS_LINK_URLS: must be http://host:port');
    expect(problems).toContain('credentials: name the file');
  });

  test('a broken credentials file is named, and its text is not shown', () => {
    const file = write('vps-1.json', '{"secret": "hush-hush", oops');
    const problems = problemsOf(() => loadConfig({ credentialsFile: file }, {}));
    expect(problems).toContain(file);
    expect(problems).not.toContain('hush');
    const empty = write('empty.json', { executorName: 'x', linkUrls: [] });
    expect(problemsOf(() => loadConfig({ credentialsFile: empty }, {}))).toContain('lacks keyId, secret, linkUrls');
    expect(problemsOf(() => loadConfig({ credentialsFile: '/nowhere' }, {}))).toContain('/nowhere cannot be read');
  });
});

function problemsOf(load: () => unknown): string {
  try {
    load();
  } catch (thrown) {
    return String(thrown);
  }
  throw new Error('the configuration was taken');
}
