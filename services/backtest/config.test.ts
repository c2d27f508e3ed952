import { expect, test } from 'vitest';
import { ConfigError } from '../platform/environment.ts';
import { envToConfig } from './config.ts';

test('the back-test service refuses a log level that does not exist by name, as the others do', () => {
  const env = { STRATEGOS_INTERNAL_TOKEN: 'internal', STRATEGOS_LOG_LEVEL: 'loud' };
  expect(() => envToConfig(env)).toThrow(ConfigError);
  expect(() => envToConfig(env)).toThrow(/STRATEGOS_LOG_LEVEL/);
  expect(() => envToConfig({ ...env, STRATEGOS_LOG_LEVEL: '' })).not.toThrow();
});
