import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  type CommandDeliverySchema,
  type ConnectRequest,
  type ConnectResponse,
  ConnectResponseSchema,
  type ExecutorEvent,
  ExecutorLinkService,
  type Hello,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AsyncQueue } from '../platform/async-queue.ts';
import { Secret } from '../platform/config.ts';
import { StatusError } from '../platform/errors.ts';
import { createGrpcServer, type GrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import type { ExecutorCredentials } from './credentials.ts';

type FrameInit = NonNullable<MessageInitShape<typeof ConnectResponseSchema>['frame']>;
type EventCase = NonNullable<ExecutorEvent['event']['case']>;

/** For tests of the agent: silent, so that their output stays readable. */
export const silentLogger: Logger = createLogger('executor', 'silent');

/** Waits for facts that come over the network: every change wakes those who wait for one. */
class Changes {
  #waiting = new Set<() => void>();

  notify(): void {
    for (const wake of this.#waiting) wake();
  }

  async until<T>(find: () => T | undefined): Promise<T> {
    for (let found = find(); ; found = find()) {
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

/** One stream as the platform's side of a test sees it. */
export class TestStream {
  readonly hello: Hello;
  readonly frames: ConnectRequest[] = [];
  readonly events: ExecutorEvent[] = [];
  readonly outgoing = new AsyncQueue<ConnectResponse>({ itemsMax: 100_000 });
  readonly #changes = new Changes();
  readonly #platform: TestPlatform;
  /** The agent has ended its side, or the stream broke. */
  ended = false;

  constructor(hello: Hello, platform: TestPlatform) {
    this.hello = hello;
    this.#platform = platform;
  }

  send(frame: FrameInit): void {
    this.outgoing.push(create(ConnectResponseSchema, { frame }));
  }

  welcome(epoch: bigint): void {
    const { heartbeatMs, readTimeoutMs } = this.#platform;
    this.send({
      case: 'welcome',
      value: {
        streamEpoch: epoch,
        heartbeatInterval: durationFromMs(heartbeatMs),
        readTimeout: durationFromMs(readTimeoutMs),
      },
    });
  }

  deliver(...commands: MessageInitShape<typeof CommandDeliverySchema>[]): void {
    this.send({ case: 'commands', value: { commands } });
  }

  acknowledge(...commandIds: string[]): void {
    this.send({ case: 'eventsAcknowledged', value: { commandIds } });
  }

  /** Takes a frame of the agent as the platform would: answers heartbeats, makes results durable. */
  take(frame: ConnectRequest): void {
    this.frames.push(frame);
    const { frame: content } = frame;
    if (content.case === 'heartbeat' && this.#platform.answersHeartbeats) {
      this.send({ case: 'heartbeatReply', value: { number: content.value.number } });
    }
    if (content.case === 'events') {
      this.events.push(...content.value.events);
      const finished = content.value.events.filter((event) => event.event.case === 'finished');
      if (this.#platform.acknowledges && finished.length > 0) {
        this.acknowledge(...finished.map((event) => event.commandId));
      }
    }
    this.#changes.notify();
  }

  end(): void {
    this.ended = true;
    this.#changes.notify();
  }

  /** The first event of that case about the command, as soon as there is one. */
  event(commandId: string, eventCase: EventCase, place = 0): Promise<ExecutorEvent> {
    return this.#changes.until(
      () => this.events.filter((event) => event.commandId === commandId && event.event.case === eventCase)[place],
    );
  }

  /** The end that the agent reported of the command. */
  async finished(commandId: string, place = 0) {
    const { event } = await this.event(commandId, 'finished', place);
    if (event.case !== 'finished') throw new Error('the event is no end');
    return event.value;
  }

  until<T>(find: (stream: TestStream) => T | undefined): Promise<T> {
    return this.#changes.until(() => find(this));
  }

  /** Names of the events about the command, in their order. */
  eventsOf(commandId: string): string[] {
    return this.events.filter((event) => event.commandId === commandId).map((event) => event.event.case ?? '');
  }
}

/** A platform in this process: a real port, a real stream, and a test that plays the service. */
export class TestPlatform {
  readonly streams: TestStream[] = [];
  readonly #server: GrpcServer;
  readonly #changes = new Changes();
  #port = 0;
  #epoch = 0n;
  heartbeatMs = 5_000;
  readTimeoutMs = 15_000;
  answersHeartbeats = true;
  acknowledges = true;
  welcomes = true;
  /** Thrown at every new stream. */
  refusal: StatusError | undefined;

  constructor() {
    this.#server = createGrpcServer({
      host: '127.0.0.1',
      port: 0,
      logger: silentLogger,
      limits: grpcServerLimits({ drainMs: 100 }),
    });
    this.#server.register(ExecutorLinkService, this.implementation);
  }

  static async start(): Promise<TestPlatform> {
    const platform = new TestPlatform();
    platform.#port = await platform.#server.start();
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get implementation(): ServiceImpl<typeof ExecutorLinkService> {
    return {
      connect: (requests, context) => this.#connect(requests, context),
      pollCommands: () => {
        throw new StatusError('Unimplemented', 'UNAVAILABLE', 'polling goes to the gateway');
      },
      reportEvents: () => {
        throw new StatusError('Unimplemented', 'UNAVAILABLE', 'polling goes to the gateway');
      },
      checkLink: () => {
        throw new StatusError('Unimplemented', 'UNAVAILABLE', 'agents do not check their link');
      },
    };
  }

  credentials(...more: TestPlatform[]): ExecutorCredentials {
    const linkUrls = [this, ...more].map((platform) => platform.url);
    return { keyId: 'key', secret: new Secret('not-a-secret'), linkUrls };
  }

  nextEpoch(): bigint {
    this.#epoch += 1n;
    return this.#epoch;
  }

  /** The stream that was opened as number `place`, from 0. */
  stream(place: number): Promise<TestStream> {
    return this.#changes.until(() => this.streams[place]);
  }

  stop(): Promise<void> {
    for (const stream of this.streams) stream.outgoing.end();
    return this.#server.stop();
  }

  async *#connect(requests: AsyncIterable<ConnectRequest>, context: HandlerContext): AsyncGenerator<ConnectResponse> {
    if (this.refusal !== undefined) throw this.refusal;
    const iterator = requests[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true || first.value.frame.case !== 'hello') throw new Error('the first frame is no hello');
    const stream = new TestStream(first.value.frame.value, this);
    if (this.welcomes) stream.welcome(this.nextEpoch());
    this.streams.push(stream);
    this.#changes.notify();
    const ended = this.#read(iterator, stream);
    context.signal.addEventListener('abort', () => stream.outgoing.end());
    yield* stream.outgoing;
    await ended;
  }

  async #read(iterator: AsyncIterator<ConnectRequest>, stream: TestStream): Promise<void> {
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) stream.take(next.value);
    } finally {
      stream.end();
      stream.outgoing.end();
    }
  }
}
