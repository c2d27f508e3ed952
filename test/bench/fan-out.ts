import { fromBinary } from '@bufbuild/protobuf';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { StrategyChangeSchema } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { AccountStrategies } from '../../services/evaluator/strategies/account-strategies.ts';
import { Neighbours } from '../../services/evaluator/upstream/neighbours.ts';
import { systemClock } from '../../services/platform/clock.ts';
import { Secret } from '../../services/platform/config.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { connectNats } from '../../services/platform/nats/connection.ts';
import { strategyChangedSubject } from '../../services/platform/nats/subject.ts';
import type { TestServers } from '../harness/servers.ts';
import { FOUNDER, startStack } from '../harness/stack.ts';
import { strategyJson, when } from '../harness/trading.ts';
import { percentile } from './percentile.ts';

const WARM_UP = 20;
const APPLIED_MS_MAX = 10_000;

/** From the call that saves to the moment at which a cache has applied it, in milliseconds. */
export interface FanOutResult {
  readonly caches: number;
  /** Until the first and until the last of the caches had it. */
  readonly lastP50Ms: number;
  readonly lastP99Ms: number;
  /** From the saver's answer on; below 0 when the caches were faster than the answer. */
  readonly afterAnswerP50Ms: number;
}

/**
 * Saves an edit again and again, one after the other, and measures until every cache has applied it. Strategy, market and
 * session services are processes of their own; each cache is the evaluator's, with connections of its own, in this process.
 */
export async function measureFanOut(servers: TestServers, caches: number, saves: number): Promise<FanOutResult> {
  await using stack = await startStack({
    servers,
    gateway: false,
    trading: { evaluators: 0 },
    env: { STRATEGOS_LOG_LEVEL: 'warn' },
  });
  const running = new Stack();
  try {
    const logger = createLogger('bench', 'silent');
    const { serviceUrls } = stack.shared;
    const strategies = stack.internalClient(StrategyService, serviceUrls.strategy[0] ?? '');
    const { accountId } = FOUNDER;
    let appliedAtMs: number[] = [];
    let wanted = 0;
    let everybody = Promise.withResolvers<void>();
    const followers = Array.from({ length: caches }, () => {
      const neighbours = new Neighbours(
        { strategyUrls: serviceUrls.strategy, marketUrls: serviceUrls.market, sessionUrls: serviceUrls.session },
        new Secret(stack.internalToken),
      );
      running.use(neighbours, (each) => each.stop());
      const nats = running.add(connectNats({ url: stack.natsUrl, name: 'bench', logger }));
      const cache = new AccountStrategies(accountId, {
        neighbours,
        clock: systemClock,
        logger,
        changed: () => undefined,
        moved: () => {
          if (cache.applied < wanted) return;
          appliedAtMs.push(performance.now());
          if (appliedAtMs.length === caches) everybody.resolve();
        },
      });
      nats.subscribe(strategyChangedSubject(accountId), (_subject, data) =>
        cache.hint(fromBinary(StrategyChangeSchema, data)),
      );
      running.use(cache, (each) => each.stop());
      cache.start();
      return cache;
    });
    const { strategy } = await strategies.createStrategy({ source: { case: 'json', value: edit(0) } });
    let revision = strategy?.revision ?? 0n;
    const lastMs: number[] = [];
    const afterAnswerMs: number[] = [];
    for (let save = 1; save <= WARM_UP + saves; save++) {
      wanted = Number(revision) + 1;
      appliedAtMs = [];
      everybody = Promise.withResolvers<void>();
      const startMs = performance.now();
      const response = await strategies.updateStrategy({
        strategy: strategy?.id ?? '',
        revision,
        source: { case: 'json', value: edit(save) },
      });
      const answeredMs = performance.now();
      await within(everybody.promise, followers);
      revision = response.strategy?.revision ?? revision;
      if (save <= WARM_UP) continue;
      const last = Math.max(...appliedAtMs);
      lastMs.push(last - startMs);
      afterAnswerMs.push(last - answeredMs);
    }
    return {
      caches,
      lastP50Ms: percentile(lastMs, 0.5),
      lastP99Ms: percentile(lastMs, 0.99),
      afterAnswerP50Ms: percentile(afterAnswerMs, 0.5),
    };
  } finally {
    await running.stop();
  }
}

function edit(number: number): string {
  return strategyJson('fan-out', { s1_signal: when('pump_magnitude_pct', '>=', 1_000 + number) });
}

async function within(applied: Promise<void>, caches: readonly AccountStrategies[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`caches stand at ${caches.map(({ applied: at }) => at).join(', ')} and were told of more`));
    }, APPLIED_MS_MAX);
  });
  try {
    await Promise.race([applied, late]);
  } finally {
    clearTimeout(timer);
  }
}
