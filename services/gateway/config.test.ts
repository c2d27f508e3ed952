import { describe, expect, test } from 'vitest';
import { ConfigError } from '../platform/environment.ts';
import { envToConfig } from './config.ts';

const NEEDED = {
  DATABASE_URL: 'postgres://u:p@127.0.0.1/strategos',
  STRATEGOS_INTERNAL_TOKEN: 'secret-between-services',
  STRATEGOS_COMMAND_URLS: 'http://127.0.0.1:7090, http://127.0.0.1:7091',
};

describe('envToConfig', () => {
  test('has defaults for all but four settings', () => {
    const config = envToConfig(NEEDED);
    expect(config.commandUrls).toEqual(['http://127.0.0.1:7090', 'http://127.0.0.1:7091']);
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 7070,
      linkUrls: [],
      corsOrigins: [],
      forwardedHops: 0,
      tls: undefined,
    });
    expect(config.limits).toMatchObject({
      requestBytesMax: 1_048_576,
      tokenRate: { perSecond: 1_000, burst: 2_000 },
      watchesMax: 100,
    });
    expect(JSON.stringify(config)).not.toContain('secret-between-services');
  });

  test('names every bad variable at once', () => {
    const bad = { STRATEGOS_PORT: '99999', STRATEGOS_COMMAND_URLS: ' , ', STRATEGOS_TOKEN_RATE: 'many' };
    expect(() => envToConfig(bad)).toThrow(ConfigError);
    for (const name of [
      'DATABASE_URL',
      'STRATEGOS_INTERNAL_TOKEN',
      'STRATEGOS_PORT',
      'STRATEGOS_COMMAND_URLS',
      'STRATEGOS_TOKEN_RATE',
    ]) {
      expect(() => envToConfig(bad)).toThrow(new RegExp(name));
    }
  });

  test('half a certificate and a default above its bound are refused', () => {
    expect(() => envToConfig({ ...NEEDED, STRATEGOS_TLS_CERT_FILE: 'cert.pem' })).toThrow(/set both or neither/);
    expect(() =>
      envToConfig({ ...NEEDED, STRATEGOS_UNARY_DEFAULT_MS: '50000', STRATEGOS_UNARY_MAX_MS: '1000' }),
    ).toThrow(/must not exceed/);
    expect(envToConfig({ ...NEEDED, STRATEGOS_TLS_CERT_FILE: 'c', STRATEGOS_TLS_KEY_FILE: 'k' }).tls).toEqual({
      certFile: 'c',
      keyFile: 'k',
    });
  });
});
