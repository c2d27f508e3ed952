import { expect, test } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { CallRecord } from './call-record.ts';

test('what a call takes is given back once when it is over, and at once when it is over already', () => {
  const record = new CallRecord({ requestId: 'r', rpc: 'a.B/C', address: '127.0.0.1', nowMs: 0 });
  const released: string[] = [];
  record.onEnd(() => released.push('before'));
  expect(released).toEqual([]);
  const over = { nowMs: 1, complete: false, httpStatus: 200, logger: createLogger('test', 'silent') };
  record.end(over);
  expect(released).toEqual(['before']);
  // The caller went away while its token was looked up.
  record.onEnd(() => released.push('after'));
  expect(released).toEqual(['before', 'after']);
});
