import { expect, test } from 'vitest';
import { DiagnosticsService, Verdict } from '../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import type { TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { UnderLoad } from './under-load.ts';
import { whileCancelling, whileLocked, whileReadOnly } from './unwilling-postgres.ts';

/** Longer than a statement may take, so that those that wait for the lock are cancelled by the server. */
const LOCKED_MS = 18_000;
/** Longer than a refused write of one command is repeated before what it says is given up. */
const READ_ONLY_MS = 17_000;

test('Postgres is there and takes no writes, cancels statements, and locks the table, in the middle of the work', async () => {
  await using work = await UnderLoad.start(11, { commandReplicas: 2, postgres: 'own' });
  const { stack, recorder } = work;
  const unanswered = (): number =>
    recorder.records.filter((record) => record.type === 'return' && record.outcome === 'uncertain').length;

  await work.moreEffects(50);
  await recorder.fault('Postgres takes no writes', true, () =>
    whileReadOnly(stack.databaseUrl, async () => {
      const before = unanswered();
      await until(() => unanswered() > before, 'somebody is told so');
      expect(await faultsFound(stack)).toEqual(['postgres.writable: PostgreSQL takes no writes']);
      await elapsed(READ_ONLY_MS);
    }),
  );
  expect(await faultsFound(stack)).toEqual([]);
  await work.moreEffects(50);
  await recorder.fault('Postgres cancels statements', true, () =>
    whileCancelling(stack.databaseUrl, () => elapsed(3_000)),
  );
  await work.moreEffects(50);
  await recorder.fault('the table is locked', true, () => whileLocked(stack.databaseUrl, () => elapsed(LOCKED_MS)));
  await work.moreEffects(50);
  expect(await work.verdict()).toBe('');
});

async function elapsed(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  await until(() => performance.now() >= endMs, 'long enough', ms + 5_000);
}

/** What is wrong with Postgres, as the doctor is told by the gateway. */
async function faultsFound(stack: TestStack): Promise<string[]> {
  const { checks } = await (await stack.client(DiagnosticsService)).diagnose({});
  return checks
    .filter(({ name, verdict }) => name.startsWith('postgres.') && verdict !== Verdict.OK)
    .map(({ name, found }) => `${name}: ${found}`);
}
