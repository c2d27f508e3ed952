import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createRouterTransport } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  ConnectResponseSchema,
  type ExecutorEvent,
  ExecutorLinkService,
  type PollCommandsRequest,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { freePort } from '../../../test/harness/port.ts';
import { ManualClock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import { toConnectError } from '../../platform/grpc/status.ts';
import { createPaperAdapter } from '../adapters/paper/paper-adapter.ts';
import { createExecutor, type Executor, type ExecutorOptions, type ExecutorState } from '../agent.ts';
import type { AgentClock } from '../agent-clock.ts';
import { silentLogger, TestPlatform } from '../test-platform.ts';
import { streamTransport } from './transports.ts';

let platform: TestPlatform;
let directory: string;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-link-'));
  stops = [];
  platform = await startPlatform();
});

afterEach(async () => {
  for (const stop of stops.toReversed()) await stop();
  rmSync(directory, { recursive: true });
});

async function startPlatform(): Promise<TestPlatform> {
  const started = await TestPlatform.start();
  stops.push(() => started.stop());
  return started;
}

async function startAgent(options: Partial<ExecutorOptions> = {}): Promise<Executor> {
  const executor = createExecutor({
    credentials: platform.credentials(),
    adapter: createPaperAdapter(),
    journalDirectory: directory,
    logger: silentLogger,
    ...options,
  });
  stops.push(() => executor.stop());
  await executor.start();
  return executor;
}

/** Resolves when the agent is in a state that `holds`. */
function state<K extends ExecutorState['kind']>(
  executor: Executor,
  kind: K,
): Promise<Extract<ExecutorState, { kind: K }>> {
  return new Promise((resolve) => {
    const look = (now: ExecutorState): void => {
      if (isIn(now, kind)) resolve(now);
    };
    executor.onStateChange(look);
    look(executor.state);
  });
}

function isIn<K extends ExecutorState['kind']>(
  now: ExecutorState,
  kind: K,
): now is Extract<ExecutorState, { kind: K }> {
  return now.kind === kind;
}

function manualClock(): { clock: AgentClock; advance: (ms: number) => void } {
  const manual = new ManualClock();
  const reading = () => ({ wallMs: manual.nowMs(), uptimeMs: manual.nowMs(), monotonicMs: manual.nowMs() });
  const clock = {
    nowMs: () => manual.nowMs(),
    steadyMs: () => manual.steadyMs(),
    after: manual.after.bind(manual),
    reading,
  };
  return { clock, advance: (ms) => manual.advance(ms) };
}

const stopSession = (commandId: string) => ({
  commandId,
  attempt: 1,
  sequence: 1n,
  kind: { case: 'stopSession' as const, value: { sessionId: 's' } },
});

describe('the stream', () => {
  test('a broken one is remade at the next address, and what was told is told again', async () => {
    const other = await startPlatform();
    platform.acknowledges = false;
    await startAgent({ credentials: platform.credentials(other) });
    const first = await platform.stream(0);
    first.deliver(stopSession('a'));
    await first.finished('a');
    await platform.stop();
    const second = await other.stream(0);
    expect(second.hello.journal).toMatchObject([{ commandId: 'a', state: CommandState.SUCCEEDED }]);
    expect((await second.finished('a')).state).toBe(CommandState.SUCCEEDED);
  });

  test('beats as often as the platform asks, and answers its beats', async () => {
    platform.heartbeatMs = 20;
    await startAgent();
    const stream = await platform.stream(0);
    stream.send({ case: 'heartbeat', value: { number: 41n } });
    const reply = await stream.until(({ frames }) => frames.find(({ frame }) => frame.case === 'heartbeatReply'));
    expect(reply.frame.value).toMatchObject({ number: 41n });
    await stream.until(
      ({ frames }) => frames.filter(({ frame }) => frame.case === 'heartbeat').length >= 3 || undefined,
    );
  });

  test('a platform that falls silent is left for a new stream', async () => {
    platform.heartbeatMs = 20;
    platform.readTimeoutMs = 100;
    platform.answersHeartbeats = false;
    const executor = await startAgent();
    const silent = await state(executor, 'backing_off');
    expect(silent.reason).toMatch(/^the platform was silent for \d+ ms$/);
    await platform.stream(1);
  });

  test('beats alone keep it alive', async () => {
    const { clock, advance } = manualClock();
    platform.heartbeatMs = 15_000;
    platform.readTimeoutMs = 20_000;
    const executor = await startAgent({ clock });
    await state(executor, 'ready');
    const stream = await platform.stream(0);
    for (let beat = 1; beat <= 4; beat++) {
      advance(15_000);
      await stream.until(
        ({ frames }) => frames.filter(({ frame }) => frame.case === 'heartbeat').length >= beat || undefined,
      );
      stream.send({ case: 'heartbeat', value: { number: BigInt(beat) } });
      await stream.until(
        ({ frames }) => frames.filter(({ frame }) => frame.case === 'heartbeatReply').length >= beat || undefined,
      );
    }
    expect(executor.state.kind).toBe('ready');
    expect(platform.streams).toHaveLength(1);
  });

  test('one that is accepted and never welcomed is given up', async () => {
    const { clock, advance } = manualClock();
    platform.welcomes = false;
    const executor = await startAgent({ clock });
    await platform.stream(0);
    advance(10_000);
    expect(await state(executor, 'backing_off')).toMatchObject({ reason: 'no welcome within 10000 ms' });
  });

  test('a frame of an unknown kind is ignored', async () => {
    await startAgent();
    const stream = await platform.stream(0);
    const unknown = create(ConnectResponseSchema);
    unknown.$unknown = [{ no: 99, wireType: WireType.LengthDelimited, data: Uint8Array.of(1, 7) }];
    stream.outgoing.push(unknown);
    stream.deliver(stopSession('a'));
    await stream.finished('a');
  });

  test('leaves with a goodbye', async () => {
    const executor = await startAgent();
    const stream = await platform.stream(0);
    await state(executor, 'ready');
    await executor.stop();
    const goodbye = await stream.until(({ frames }) => frames.find(({ frame }) => frame.case === 'goodbye'));
    expect(goodbye.frame.value).toMatchObject({ reason: 'the agent is stopping' });
    expect(executor.state).toEqual({ kind: 'stopped' });
  });

  test('a draining replica is left when another stream is proven, and not before', async () => {
    const other = await startPlatform();
    other.welcomes = false;
    const executor = await startAgent({ credentials: platform.credentials(other) });
    const draining = await platform.stream(0);
    draining.send({ case: 'drain', value: { reason: 'deployment' } });
    const successor = await other.stream(0);
    draining.deliver(stopSession('a'));
    await draining.finished('a');
    expect(draining.ended).toBe(false);
    expect(executor.state.kind).toBe('ready');
    successor.welcome(7n);
    await draining.until((stream) => stream.ended || undefined);
    successor.deliver(stopSession('b'));
    await successor.finished('b');
    expect(executor.state).toMatchObject({ kind: 'ready', streamEpoch: 7n });
  });
});

describe('an agent that is not wanted', () => {
  test('stays away when another took over, and comes back later', async () => {
    const { clock, advance } = manualClock();
    const executor = await startAgent({ clock });
    const stream = await platform.stream(0);
    await state(executor, 'ready');
    stream.send({ case: 'superseded', value: { streamEpoch: 2n, journalId: 'another', host: 'vps-8' } });
    const superseded = await state(executor, 'superseded');
    expect(superseded).toMatchObject({ host: 'vps-8', journalId: 'another' });
    const awayMs = superseded.untilMs - clock.nowMs();
    expect(awayMs).toBeGreaterThanOrEqual(30_000);
    expect(awayMs).toBeLessThanOrEqual(60_000);
    advance(29_000);
    expect(executor.state.kind).toBe('superseded');
    advance(31_000);
    await platform.stream(1);
    await state(executor, 'ready');
  });

  test('says why its credential is refused, and tries again later', async () => {
    const { clock, advance } = manualClock();
    platform.refusal = new StatusError('PermissionDenied', 'EXECUTOR_DISABLED', 'executor vps-1 is disabled');
    const executor = await startAgent({ clock });
    const refused = await state(executor, 'refused');
    expect(refused.reason).toBe('executor vps-1 is disabled (EXECUTOR_DISABLED)');
    expect(refused.untilMs - clock.nowMs()).toBeGreaterThanOrEqual(30_000);
    platform.refusal = undefined;
    advance(60_000);
    await state(executor, 'ready');
  });
});

/** The gateway's side of polling. */
class TestGateway {
  readonly polls: PollCommandsRequest[] = [];
  readonly events: ExecutorEvent[] = [];
  epoch = 100n;
  refusal: StatusError | undefined;
  /** Reports are refused as those of an older epoch, as often as this says. */
  refuseReports = 0;
  #frames: ReturnType<typeof create<typeof ConnectResponseSchema>>[] = [];
  #wake: () => void = () => undefined;
  #changed: () => void = () => undefined;

  send(frame: Parameters<typeof create<typeof ConnectResponseSchema>>[1]): void {
    this.#frames.push(create(ConnectResponseSchema, frame));
    this.#wake();
  }

  get transport() {
    return createRouterTransport(({ service }) => {
      service(ExecutorLinkService, {
        pollCommands: async (request, context) => {
          this.polls.push(request);
          if (this.refusal !== undefined) throw toConnectError(this.refusal);
          if (request.streamEpoch !== this.epoch) {
            this.epoch += 1n;
            this.send({ frame: { case: 'welcome', value: { streamEpoch: this.epoch } } });
          }
          while (this.#frames.length === 0) {
            const { promise, resolve, reject } = Promise.withResolvers<void>();
            this.#wake = resolve;
            context.signal.addEventListener('abort', () => reject(context.signal.reason));
            await promise;
          }
          return { frames: this.#frames.splice(0) };
        },
        reportEvents: (request) => {
          if (this.refuseReports-- > 0) {
            this.epoch += 1n;
            throw toConnectError(new StatusError('Aborted', 'STREAM_SUPERSEDED', 'an older epoch'));
          }
          const events = request.events?.events ?? [];
          this.events.push(...events);
          this.#changed();
          const finished = events.filter(({ event }) => event.case === 'finished');
          return { eventsAcknowledged: { commandIds: finished.map(({ commandId }) => commandId) } };
        },
      });
    });
  }

  async finished(commandId: string): Promise<void> {
    const isThere = () => this.events.some((event) => event.commandId === commandId && event.event.case === 'finished');
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** An agent whose stream goes nowhere until its target is changed. */
async function startWithoutStream(gateway: TestGateway) {
  const target = { url: `http://127.0.0.1:${await freePort()}` };
  const credentials = platform.credentials();
  const executor = await startAgent({
    transports: { stream: () => streamTransport(target.url, credentials), poll: gateway.transport },
  });
  return { executor, target };
}

describe('polling', () => {
  test('takes over when the stream cannot be had, and gives way when it can', async () => {
    const gateway = new TestGateway();
    const { executor, target } = await startWithoutStream(gateway);
    expect(await state(executor, 'ready')).toMatchObject({ via: 'poll', streamEpoch: 101n });
    gateway.send({ frame: { case: 'commands', value: { commands: [stopSession('a')] } } });
    await gateway.finished('a');
    expect(gateway.events.map(({ event }) => event.case)).toEqual(['received', 'started', 'finished']);
    expect(gateway.polls[0]?.hello?.kinds).toContain('ping');
    target.url = platform.url;
    const stream = await platform.stream(0);
    expect(stream.hello.journal).toEqual([]);
    stream.deliver(stopSession('b'));
    await stream.finished('b');
    expect(executor.state).toMatchObject({ kind: 'ready', via: 'stream' });
  });

  test('begins anew when its epoch is no longer the newest, and loses no result', async () => {
    const gateway = new TestGateway();
    const { executor } = await startWithoutStream(gateway);
    await state(executor, 'ready');
    gateway.refuseReports = 1;
    gateway.send({ frame: { case: 'commands', value: { commands: [stopSession('a')] } } });
    await gateway.finished('a');
    expect(gateway.polls.at(-1)?.hello?.journalId).toBe(gateway.polls[0]?.hello?.journalId);
  });

  test('says that the credential is refused, whatever becomes of the stream', async () => {
    const gateway = new TestGateway();
    gateway.refusal = new StatusError('Unauthenticated', 'CREDENTIAL_REVOKED', 'the credential has ended');
    const { executor, target } = await startWithoutStream(gateway);
    await state(executor, 'refused');
    const states: string[] = [];
    executor.onStateChange(({ kind }) => states.push(kind));
    target.url = platform.url;
    await platform.stream(0);
    await state(executor, 'ready');
    expect(states).toEqual(['ready']);
  });

  test('asks for no more than the gateway keeps a poll open', async () => {
    const gateway = new TestGateway();
    const { executor } = await startWithoutStream(gateway);
    await state(executor, 'ready');
    expect(gateway.polls[0]?.wait).toEqual(durationFromMs(20_000));
  });
});
