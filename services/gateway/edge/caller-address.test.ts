import { describe, expect, test } from 'vitest';
import { callerAddress } from './caller-address.ts';

describe('callerAddress', () => {
  test.each([
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::1', '::1'],
    ['2001:db8:0:42:1:2:3:4', '2001:db8:0:42::/64'],
    ['2001:DB8::5', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0042::5', '2001:db8:0:42::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('%s counts as %s', (socketAddress, expected) => {
    expect(callerAddress(socketAddress, {}, 0)).toBe(expected);
  });

  test('x-forwarded-for counts only as far as proxies are trusted', () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 198.51.100.9, 10.1.1.1' };
    expect(callerAddress('10.2.2.2', headers, 0)).toBe('10.2.2.2');
    expect(callerAddress('10.2.2.2', headers, 1)).toBe('10.1.1.1');
    expect(callerAddress('10.2.2.2', headers, 2)).toBe('198.51.100.9');
  });

  test('a header that is missing, too short or no address changes nothing', () => {
    expect(callerAddress('10.2.2.2', {}, 1)).toBe('10.2.2.2');
    expect(callerAddress('10.2.2.2', { 'x-forwarded-for': '1.2.3.4' }, 2)).toBe('10.2.2.2');
    expect(callerAddress('10.2.2.2', { 'x-forwarded-for': 'me' }, 1)).toBe('10.2.2.2');
  });
});
