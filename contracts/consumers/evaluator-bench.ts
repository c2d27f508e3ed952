import { createClient, createRouterTransport, type Interceptor } from '@connectrpc/connect';
import {
  StrategyService,
  type WatchChangesResponse,
} from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { AccountStrategies } from '../../services/evaluator/strategies/account-strategies.ts';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { until } from '../../test/harness/until.ts';
import { SAMPLE } from '../golden/sample-values.ts';
import { changed, streamOf } from '../schema/stream.ts';

const ITEMS_MAX = 100;
/** Longer than the evaluator waits before it reads the log again. */
const PAUSE_MS = 2_000;

/** One reading of the log, seen from the strategy service's side. */
interface Reading {
  readonly sinceRevision: bigint;
  readonly log: AsyncQueue<WatchChangesResponse>;
}

/** The real cache of an evaluator, of the account of the samples; the log that it reads is in this process. Times by hand. */
export class EvaluatorBench implements AsyncDisposable {
  readonly strategies: AccountStrategies;
  readonly #clock = new ManualClock(SAMPLE.nowMs);
  readonly #readings: Reading[] = [];

  /** `watch` sees whatever of the log the evaluator reads. */
  constructor(watch: (said: WatchChangesResponse) => WatchChangesResponse = (said) => said) {
    this.strategies = new AccountStrategies(SAMPLE.accountId, {
      neighbours: {
        strategy: createClient(StrategyService, this.#transport(watch)),
        as: (_, signal) => (signal === undefined ? {} : { signal }),
      },
      clock: this.#clock,
      logger: createLogger('evaluator', 'silent'),
      changed: () => undefined,
      moved: () => undefined,
    });
    this.strategies.start();
  }

  /** The reading of the log that is number `number`, beginning with 1. */
  async reading(number: number): Promise<Reading> {
    return await until(() => {
      if (this.#readings.length < number) this.#clock.advance(PAUSE_MS);
      return this.#readings[number - 1];
    }, `the evaluator reads the log for the ${number}. time`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { log } of this.#readings) log.end();
    await this.strategies.stop();
  }

  #transport(watch: (said: WatchChangesResponse) => WatchChangesResponse) {
    const watching: Interceptor = (next) => async (request) => {
      const response = await next(request);
      if (!response.stream) return response;
      return Object.assign(
        { ...response },
        { message: changed(streamOf<WatchChangesResponse>(response.message), watch) },
      );
    };
    const readings = this.#readings;
    return createRouterTransport(
      ({ service }) =>
        service(StrategyService, {
          async *watchChanges({ sinceRevision }, { signal }) {
            const log = new AsyncQueue<WatchChangesResponse>({ itemsMax: ITEMS_MAX });
            signal.addEventListener('abort', () => log.end());
            readings.push({ sinceRevision, log });
            yield* log;
          },
        }),
      { transport: { interceptors: [watching] } },
    );
  }
}
