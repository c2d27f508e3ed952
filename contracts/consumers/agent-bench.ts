import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createRouterTransport, type Interceptor } from '@connectrpc/connect';
import {
  type ConnectRequest,
  type ConnectResponse,
  ConnectResponseSchema,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { createExecutor, type AgentClock, type Executor, openJournal, Secret } from '../../services/executor/index.ts';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import type { GrpcTransport } from '../../services/platform/grpc/transport.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { SAMPLE } from '../golden/sample-values.ts';
import { HeldVenue } from './venue.ts';
import { changed, streamOf } from '../schema/stream.ts';

const ITEMS_MAX = 10_000;
/** So much happens at once or not at all. */
const WAIT_MS_MAX = 3_000;
const STOP_STEP_MS = 20;

/** One stream of the agent, seen from the platform's side. */
export class PeerStream {
  readonly #fromAgent: AsyncIterator<ConnectRequest>;
  readonly toAgent = new AsyncQueue<ConnectResponse>({ itemsMax: ITEMS_MAX });
  error: Error | undefined;

  constructor(requests: AsyncIterable<ConnectRequest>) {
    this.#fromAgent = requests[Symbol.asyncIterator]();
  }

  send(frame: NonNullable<MessageInitShape<typeof ConnectResponseSchema>['frame']>): void {
    this.toAgent.push(create(ConnectResponseSchema, { frame }));
  }

  welcome(epoch = BigInt(SAMPLE.epoch)): void {
    const heartbeatInterval = durationFromMs(8_000);
    this.send({
      case: 'welcome',
      value: { streamEpoch: epoch, heartbeatInterval, readTimeout: durationFromMs(20_000) },
    });
  }

  /** The agent's next frame; undefined when it has ended its side. @throws Error when none comes */
  async next(otherwise = 'the agent says nothing'): Promise<ConnectRequest | undefined> {
    const next = await inTime(this.#fromAgent.next(), otherwise);
    return next.done === true ? undefined : next.value;
  }

  /** Ends the stream, with `error` as its status. */
  end(error?: Error): void {
    this.error = error;
    this.toAgent.end();
  }
}

export interface BenchOptions {
  readonly venue?: HeldVenue;
  readonly concurrencyMax?: number;
  readonly inFlightMax?: number;
  readonly journalId?: string;
  /** Replaces the platform in this process by a real one. */
  readonly transport?: () => GrpcTransport;
  /** Sees every frame of the platform before the agent does. */
  readonly watch?: (frame: ConnectResponse) => ConnectResponse;
}

/** The real agent, whole, with its journal on disk; the platform's side of its streams is in this process. Times by hand. */
export class AgentBench implements AsyncDisposable {
  readonly venue: HeldVenue;
  readonly clock = new ManualClock(SAMPLE.nowMs);
  readonly executor: Executor;
  readonly #directory = mkdtempSync(join(tmpdir(), 'strategos-agent-'));
  readonly #streams = new AsyncQueue<PeerStream>({ itemsMax: ITEMS_MAX });
  readonly #opened = this.#streams[Symbol.asyncIterator]();
  readonly #all: PeerStream[] = [];

  constructor(options: BenchOptions = {}) {
    this.venue = options.venue ?? new HeldVenue();
    const manual = this.clock;
    const clock: AgentClock = {
      nowMs: () => manual.nowMs(),
      steadyMs: () => manual.steadyMs(),
      after: (delayMs, callback) => manual.after(delayMs, callback),
      reading: () => ({ wallMs: manual.nowMs(), uptimeMs: manual.nowMs(), monotonicMs: manual.nowMs() }),
    };
    const journal = openJournal(this.#directory);
    this.executor = createExecutor({
      credentials: { keyId: SAMPLE.keyId, secret: new Secret('none'), linkUrls: ['http://in-process'] },
      adapter: this.venue,
      journal: options.journalId === undefined ? journal : Object.assign(journal, { id: options.journalId }),
      concurrencyMax: options.concurrencyMax ?? 64,
      inFlightMax: options.inFlightMax ?? 256,
      stopGraceMs: 0,
      clock,
      logger: createLogger('executor', 'silent'),
      agentVersion: '1.0.0',
      transports: { stream: options.transport ?? (() => this.#transport(options.watch)) },
    });
  }

  static async start(options: BenchOptions = {}): Promise<AgentBench> {
    const bench = new AgentBench(options);
    await bench.executor.start();
    return bench;
  }

  /** The next stream that the agent opens. */
  async stream(): Promise<PeerStream> {
    const next = await inTime(this.#opened.next(), 'the agent opens no stream');
    if (next.done === true) throw new Error('the agent has stopped');
    return next.value;
  }

  /** Stops the agent; what it waits for meanwhile are timers of the clock that only moves by hand. */
  async stop(): Promise<void> {
    const progress = { stopped: false };
    const stopping = this.executor.stop().finally(() => {
      progress.stopped = true;
    });
    while (!progress.stopped) {
      this.clock.advance(STOP_STEP_MS);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#all) stream.end();
    await this.stop();
    this.#streams.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #transport(watch: BenchOptions['watch']): GrpcTransport {
    const watching: Interceptor = (next) => async (request) => {
      const response = await next(request);
      if (!response.stream || watch === undefined) return response;
      const { message } = response;
      return Object.assign({ ...response }, { message: changed(streamOf<ConnectResponse>(message), watch) });
    };
    const open = (stream: PeerStream): void => {
      this.#all.push(stream);
      this.#streams.push(stream);
    };
    const transport = createRouterTransport(
      ({ service }) =>
        service(ExecutorLinkService, {
          async *connect(requests, context) {
            const stream = new PeerStream(requests);
            context.signal.addEventListener('abort', () => stream.end());
            open(stream);
            yield* stream.toAgent;
            if (stream.error !== undefined) throw stream.error;
          },
        }),
      { transport: { interceptors: [watching] } },
    );
    return { ...transport, close: () => undefined };
  }
}

/** @throws Error saying `what` when `promise` takes too long */
export async function inTime<T>(promise: Promise<T>, what: string, limitMs = WAIT_MS_MAX): Promise<T> {
  const late = Promise.withResolvers<never>();
  // What comes after its time is up is nobody's any more.
  promise.catch(() => undefined);
  const timer = setTimeout(() => late.reject(new Error(`${what} within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
