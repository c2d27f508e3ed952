import { Worker } from 'node:worker_threads';
import { Secret } from '../../services/platform/config.ts';
import { internalHeaders } from '../../services/platform/grpc/caller.ts';
import { FOUNDER, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import type { ProbeOrder, ProbeSample } from './probe-worker.ts';

type Ping = Extract<ProbeSample, { type: 'ping' }>;

/** What a healthy executor went through meanwhile, in milliseconds from issue to arrival. */
export interface Latency {
  readonly pings: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const NEXT_PING_MS_MAX = 20_000;

/** A healthy executor that is pinged without end, while others are not healthy. */
export class Probe implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #pings: Ping[] = [];
  #ready = false;
  #failure: string | undefined;

  private constructor(order: ProbeOrder) {
    this.#worker = new Worker(new URL('./probe-worker.ts', import.meta.url), { workerData: order, execArgv: [] });
    this.#worker.on('message', (sample: ProbeSample) => {
      if (sample.type === 'ping') this.#pings.push(sample);
      else if (sample.type === 'ready') this.#ready = true;
      else this.#failure = sample.message;
    });
    this.#worker.on('error', (error) => {
      this.#failure = error.message;
    });
  }

  /** Connects it to the first replica. Its pings are issued at that replica, or through the gateway. */
  static async start(stack: TestStack, issueThrough: 'replica' | 'gateway'): Promise<Probe> {
    const { keyId, secret } = await stack.createExecutor('healthy');
    const direct = issueThrough === 'replica';
    const probe = new Probe({
      executor: 'healthy',
      linkUrl: stack.linkUrls[0] ?? '',
      linkBearer: `${keyId}.${secret}`,
      issueUrl: direct ? (stack.commandUrls[0] ?? '') : stack.gatewayUrl,
      issueHeaders: direct
        ? internalHeaders(new Secret(stack.internalToken), FOUNDER, undefined)
        : { authorization: `Bearer ${await stack.token()}` },
    });
    await until(() => probe.#ready && probe.#pings.length > 0, 'the healthy executor is pinged');
    return probe;
  }

  /** Runs `work` and tells what the pings took that were under way at any time of it, and the next. @throws when one failed. */
  async during(work: () => Promise<void>): Promise<Latency> {
    const fromMs = Date.now();
    await work();
    const endMs = Date.now();
    await until(
      () => this.#failure !== undefined || this.#pings.some(({ startMs }) => startMs >= endMs),
      'the next ping arrives',
      NEXT_PING_MS_MAX,
    );
    if (this.#failure !== undefined) throw new Error(`the healthy executor: ${this.#failure}`);
    const pings = this.#pings.filter(({ startMs, ms }) => startMs + ms >= fromMs);
    const sorted = pings.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const quantile = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? Number.POSITIVE_INFINITY;
    return { pings: pings.length, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
