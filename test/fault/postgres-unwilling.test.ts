import { DiagnosticsService, Verdict } from '../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import { afterEach, expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { whileCancelling, whileLocked, whileReadOnly } from './unwilling-postgres.ts';
import { workload } from './workload.ts';

/** Longer than a statement may take, so that those that wait for the lock are cancelled by the server. */
const LOCKED_MS = 18_000;
/** Longer than a refused write of one command is repeated before what it says is given up. */
const READ_ONLY_MS = 17_000;

const disposables = new AsyncDisposableStack();
afterEach(() => disposables.disposeAsync());

test('Postgres is there and takes no writes, cancels statements, and locks the table, in the middle of the work', async () => {
  const stack = disposables.use(await startStack({ commandReplicas: 2, postgres: 'own' }));
  const recorder = disposables.use(await Recorder.start(stack, { watches: 2 }));
  const agent = recorder.follow(
    await startRecordingAgent(stack, { credentials: await stack.createExecutor('worker') }),
  );
  await online(stack, 'worker');
  const clientsOf = [stack.replicaCommandClient(0), stack.replicaCommandClient(1), await stack.commandClient()];
  const stop = new AbortController();
  const load = workload(recorder, {
    seed: 11,
    agents: [agent],
    clients: 6,
    clientsOf,
    signal: stop.signal,
    thinkMsMax: 10,
  });
  const moreEffects = async (count: number): Promise<void> => {
    const before = agent.acts('effect').length;
    await until(() => agent.acts('effect').length >= before + count, `${count} more effects`, 30_000);
  };
  const refusals = (): number =>
    recorder.records.filter((record) => record.type === 'return' && record.outcome === 'uncertain').length;

  await moreEffects(50);
  await recorder.fault('Postgres takes no writes', true, () =>
    whileReadOnly(stack.databaseUrl, async () => {
      const before = refusals();
      await until(() => refusals() > before, 'somebody is told so');
      expect(await faultsFound(stack)).toEqual(['postgres.writable: PostgreSQL takes no writes']);
      await elapsed(READ_ONLY_MS);
    }),
  );
  expect(await faultsFound(stack)).toEqual([]);
  await moreEffects(50);
  await recorder.fault('Postgres cancels statements', true, () =>
    whileCancelling(stack.databaseUrl, () => elapsed(3_000)),
  );
  await moreEffects(50);
  await recorder.fault('the table is locked', true, () => whileLocked(stack.databaseUrl, () => elapsed(LOCKED_MS)));
  await moreEffects(50);
  stop.abort();
  await load;
  expect(recorder.unexpected).toEqual([]);
  expect(await recorder.verdict()).toBe('');
  process.stdout.write(`${recorder.summary}\n`);
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
