import { afterEach, beforeEach, expect, test } from 'vitest';
import { envToConfig } from '../../services/evaluator/config.ts';
import { startEvaluatorService } from '../../services/evaluator/service.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { EvaluatorWorld, minute, pumpStrategy, statusOf, SYMBOL } from '../harness/evaluator-world.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';

/** Each way: a statement takes a second, and a round of the lease keeper several. */
const DELAY_MS = 500;
const RENEWALS = 6;
const RENEWED_WITHIN_MS = 60_000;

let world: EvaluatorWorld;
let proxy: TcpProxy;

beforeEach(async () => {
  world = await EvaluatorWorld.start();
  proxy = await TcpProxy.start(Number(new URL(world.database.url).port));
});

afterEach(async () => {
  proxy.heal();
  await world[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

interface Lease {
  readonly until: string;
  readonly live: boolean;
}

test('an evaluator keeps its lease, and decides, when every statement takes a second', async () => {
  const url = new URL(world.database.url);
  url.port = String(proxy.port);
  const config = envToConfig({ ...world.env('far'), DATABASE_URL: url.href });
  const { service, port } = await startEvaluatorService(config, createLogger('evaluator', 'error'));
  const far = world.connect('far', port, service);
  world.save('s1', pumpStrategy());
  expect(statusOf(await world.activate(far, 's1'))).toBe('ACTIVE');

  proxy.delay(DELAY_MS);
  const seen = new Set<string>();
  const ended = new Set<string>();
  await until(
    async () => {
      const [lease] = await world.sql<Lease>(
        `SELECT lease_until::text AS until, lease_until > clock_timestamp() AS live
         FROM evaluator.replica WHERE replica_id = 'far'`,
      );
      if (lease === undefined) return false;
      if (!lease.live) ended.add(lease.until);
      return seen.add(lease.until).size > RENEWALS;
    },
    'the lease is renewed again and again',
    RENEWED_WITHIN_MS,
  );
  expect([...ended]).toEqual([]);
  world.neighbours.market.event(SYMBOL, minute(1), { price: 150, pump_magnitude_pct: 6 });
  await world.intent('SIGNAL');
});
