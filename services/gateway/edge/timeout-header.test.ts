import { describe, expect, test } from 'vitest';
import { applyTimeout } from './timeout-header.ts';

const limits = { unaryDefaultMs: 30_000, unaryMaxMs: 60_000 };

function applied(header: Record<string, string>, isStream: boolean, isGrpc: boolean): Record<string, string> {
  const headers = new Headers(header);
  applyTimeout(headers, isStream, isGrpc, limits);
  return Object.fromEntries(headers);
}

describe('applyTimeout', () => {
  test.each([
    ['Connect, absent: the default', {}, false, false, { 'connect-timeout-ms': '30000' }],
    ['Connect, kept', { 'connect-timeout-ms': '250' }, false, false, { 'connect-timeout-ms': '250' }],
    ['Connect, clamped', { 'connect-timeout-ms': '9999999999' }, false, false, { 'connect-timeout-ms': '60000' }],
    ['Connect, zero is due at once', { 'connect-timeout-ms': '0' }, false, false, { 'connect-timeout-ms': '1' }],
    [
      'Connect, junk is left for the handler to refuse',
      { 'connect-timeout-ms': 'soon' },
      false,
      false,
      { 'connect-timeout-ms': 'soon' },
    ],
    ['gRPC, absent: the default', {}, false, true, { 'grpc-timeout': '30000m' }],
    ['gRPC, hours are clamped', { 'grpc-timeout': '99999999H' }, false, true, { 'grpc-timeout': '60000m' }],
    ['gRPC, microseconds', { 'grpc-timeout': '1500000u' }, false, true, { 'grpc-timeout': '1500m' }],
    ['a watch has no deadline of itself', {}, true, true, {}],
    ['a watch keeps its deadline', { 'grpc-timeout': '90S' }, true, true, { 'grpc-timeout': '90000m' }],
    [
      'a watch of years gets what a timer can hold',
      { 'grpc-timeout': '9999999H' },
      true,
      true,
      { 'grpc-timeout': '1728000S' },
    ],
  ] as const)('%s', (_, header, isStream, isGrpc, expected) => {
    expect(applied(header, isStream, isGrpc)).toEqual(expected);
  });
});
