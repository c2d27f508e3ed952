import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { StatusError, unavailable } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import type { NewRefusal } from '../domain/refusal.ts';
import { RefusalLog, UNPROVEN_ROWS_MAX, WRITE_INTERVAL_MS } from './refusal-log.ts';

const CALLER = { executorId: 'e1', accountId: 'main', executorName: 'vps-1', keyId: 'k1', credentialEndMs: null };
const HELLO = { agentVersion: '0.9.0', contractDigest: 'f00d', host: 'vps\0\n' };
const UNSUPPORTED = new StatusError('PermissionDenied', 'CONTRACT_UNSUPPORTED', 'install 1.0.0');

function refusal(executorId: string, overrides: Partial<NewRefusal> = {}): NewRefusal {
  return {
    accountId: 'main',
    executorId,
    atMs: 0,
    reason: 'CREDENTIAL_INVALID',
    message: 'wrong',
    keyId: 'k1',
    isProven: false,
    link: 'STREAM',
    agent: null,
    ...overrides,
  };
}

function newLog(store: (refusals: readonly NewRefusal[]) => Promise<void> = () => Promise.resolve()) {
  const clock = new ManualClock();
  const writes: (readonly NewRefusal[])[] = [];
  const rung: string[] = [];
  const log = new RefusalLog({
    clock,
    logger: createLogger('test', 'silent'),
    store: (refusals) => {
      writes.push(refusals);
      return store(refusals);
    },
    stored: (accountId) => rung.push(accountId),
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { log, clock, writes, rung, pass };
}

describe('the log of refusals', () => {
  test('writes the first at once, with what the agent said of itself in a form that can be stored', async () => {
    const { log, writes, rung, pass } = newLog();
    log.failed(CALLER, 'POLL', HELLO, UNSUPPORTED);
    await pass(0);
    expect(writes).toEqual([
      [
        expect.objectContaining({
          executorId: 'e1',
          reason: 'CONTRACT_UNSUPPORTED',
          message: 'install 1.0.0',
          isProven: true,
          link: 'POLL',
          agent: { version: '0.9.0', contractDigest: 'f00d', host: 'vps ' },
        }),
      ],
    ]);
    expect(rung).toEqual(['main']);
  });

  test('writes an executor that calls all the time once in an interval, with its latest refusal', async () => {
    const { log, writes, pass } = newLog();
    for (let call = 0; call < 3_000; call++) {
      log.note(refusal('e1', { isProven: true, message: `call ${call}` }));
      await pass(10);
    }
    await pass(WRITE_INTERVAL_MS);
    expect(writes.length).toBeLessThanOrEqual(30_000 / WRITE_INTERVAL_MS + 2);
    expect(writes.at(-1)).toMatchObject([{ message: 'call 2999' }]);
  });

  test('lets a wrong secret never take the place of what befell the agent itself', async () => {
    const { log, writes, pass } = newLog();
    log.note(refusal('e1', { isProven: true, message: 'proven' }));
    log.note(refusal('e1'));
    await pass(0);
    expect(writes).toMatchObject([[{ message: 'proven' }]]);
  });

  test('writes wrong secrets of so many executors an interval, and what is proven beside them', async () => {
    const { log, writes, pass } = newLog();
    for (let key = 0; key < 5_000; key++) log.note(refusal(`e${key}`));
    log.note(refusal('proven', { isProven: true }));
    await pass(0);
    expect(writes.map((some) => some.length)).toEqual([UNPROVEN_ROWS_MAX + 1]);
  });

  test('does not take trouble of the platform for a refusal', async () => {
    const { log, writes, pass } = newLog();
    log.failed(CALLER, 'STREAM', HELLO, unavailable('postgres', 'away'));
    log.failed(CALLER, 'STREAM', HELLO, new Error('a defect'));
    await pass(WRITE_INTERVAL_MS);
    expect(writes).toEqual([]);
  });

  test('goes on after a write that failed', async () => {
    let fails = true;
    const { log, writes, rung, pass } = newLog(() => (fails ? Promise.reject(new Error('away')) : Promise.resolve()));
    log.note(refusal('e1'));
    await pass(0);
    expect(rung).toEqual([]);
    fails = false;
    log.note(refusal('e1'));
    await pass(WRITE_INTERVAL_MS);
    expect([writes.length, rung.length]).toEqual([2, 1]);
  });

  test('does not wait for a clock that was set back', async () => {
    const { log, clock, writes, pass } = newLog();
    log.note(refusal('e1'));
    await pass(0);
    clock.advance(-3_600_000);
    log.note(refusal('e1', { message: 'since' }));
    await pass(WRITE_INTERVAL_MS);
    expect(writes.at(-1)).toMatchObject([{ message: 'since' }]);
  });

  test('writes what waits when it stops, and takes nothing afterwards', async () => {
    const { log, writes, pass } = newLog();
    log.note(refusal('e1'));
    await log.stop();
    log.note(refusal('e1'));
    await pass(WRITE_INTERVAL_MS);
    expect(writes).toHaveLength(1);
  });
});
