import { describe, expect, test } from 'vitest';
import { isSupersededBy, StopFence } from './stop-fence.ts';

const stop = (kind: string, orderingKey: string, sequence = 10) => ({ commandId: kind, kind, orderingKey, sequence });
const start = (kind: string, orderingKey: string, sequence = 5) => ({ kind, orderingKey, sequence });

describe('a stop', () => {
  test.each([
    ['stop_strategy', '/s/x/BTC', 'start_strategy', '/s/x/BTC', true],
    ['stop_strategy', '/s/x/BTC', 'start_strategy', '/s/x/ETH', false],
    ['stop_strategy', '/s/x/BTC', 'open_position', '/s/x/BTC', false],
    ['stop_session', '/s', 'start_session', '/s', true],
    ['stop_session', '/s', 'start_strategy', '/s/x/BTC', true],
    ['stop_session', '/s', 'start_session', '/t', false],
    ['stop_session', '/s', 'open_position', '/s/x/BTC', false],
    ['stop_all', '/', 'open_position', '/s/x/BTC', true],
    ['stop_all', '/', 'start_session', '/s', true],
    ['stop_all', '/', 'resume', '/s', true],
    ['stop_all', '/', 'close_position', '/s/x/BTC', false],
    ['stop_all', '/', 'ping', '', false],
    ['pause', '/s', 'start_session', '/s', false],
  ])('%s at %s makes an earlier %s at %s pointless: %s', (kind, key, startKind, startKey, pointless) => {
    expect(isSupersededBy(start(startKind, startKey), stop(kind, key))).toBe(pointless);
  });

  test('leaves what was issued after it alone', () => {
    expect(isSupersededBy(start('start_session', '/s', 11), stop('stop_session', '/s', 10))).toBe(false);
  });

  test('is remembered for starts that come late, the newest for each key', () => {
    const fence = new StopFence();
    fence.remember(stop('stop_session', '/s', 20));
    fence.remember(stop('stop_session', '/s', 10));
    expect(fence.supersederOf(start('start_strategy', '/s/x/BTC', 15))?.sequence).toBe(20);
    expect(fence.supersederOf(start('start_strategy', '/s/x/BTC', 21))).toBeUndefined();
    expect(fence.supersederOf(start('start_strategy', '/t/x/BTC', 15))).toBeUndefined();
    fence.replaceAll([]);
    expect(fence.supersederOf(start('start_strategy', '/s/x/BTC', 15))).toBeUndefined();
  });
});
