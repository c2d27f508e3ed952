import { parentPort, workerData } from 'node:worker_threads';
import { setTimeout as pause } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { messageOf } from '../../services/platform/errors.ts';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';

/** Where the probe connects, and where and as whom it issues its pings. */
export interface ProbeOrder {
  readonly executor: string;
  readonly linkUrl: string;
  readonly linkBearer: string;
  readonly issueUrl: string;
  readonly issueHeaders: Readonly<Record<string, string>>;
}

/** One ping: from the call that issues it to its arrival on the stream; or what went wrong. */
export type ProbeSample =
  | { readonly type: 'ready' }
  | { readonly type: 'ping'; readonly startMs: number; readonly ms: number }
  | { readonly type: 'failed'; readonly message: string };

const PACE_MS = 15;
const HEARTBEAT_MS = 2_000;

// A healthy executor in a thread of its own, so that what it measures is not how busy its test is.

const order: ProbeOrder = workerData;
const frames = new AsyncQueue<ConnectRequest>({ itemsMax: 10_000 });
const arrived = new Set<string>();
const awaited = new Map<string, () => void>();
const tell = parentPort?.postMessage.bind(parentPort);
const post = (sample: ProbeSample): void => tell?.(sample);

function say(frame: NonNullable<Parameters<typeof create<typeof ConnectRequestSchema>>[1]>['frame']): void {
  if (frame !== undefined) frames.push(create(ConnectRequestSchema, { frame }));
}

function take(commandId: string, attempt: number): void {
  const done = { case: 'finished' as const, value: { state: CommandState.SUCCEEDED } };
  say({ case: 'events', value: { events: [{ commandId, attempt, event: done }] } });
  const resolve = awaited.get(commandId);
  if (resolve === undefined) arrived.add(commandId);
  else resolve();
}

async function listen(): Promise<void> {
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${order.linkBearer}` });
  const link = createClient(
    ExecutorLinkService,
    createGrpcTransport({ urls: [order.linkUrl], headers, ownConnection: true }),
  );
  say({ case: 'hello', value: { journalId: 'probe', contractDigest: OWN_DIGEST, kinds: ['ping'], inFlightMax: 100 } });
  for await (const { frame } of link.connect(frames)) {
    if (frame.case === 'welcome') post({ type: 'ready' });
    if (frame.case === 'heartbeat') say({ case: 'heartbeatReply', value: { number: frame.value.number } });
    if (frame.case === 'commands') {
      for (const { commandId, attempt } of frame.value.commands) take(commandId, attempt);
    }
  }
  throw new Error('the stream of the healthy executor has ended');
}

async function measure(): Promise<void> {
  const headers = (): Record<string, string> => ({ ...order.issueHeaders });
  const commands = createClient(
    CommandService,
    createGrpcTransport({ urls: [order.issueUrl], headers, ownConnection: true }),
  );
  for (;;) {
    const startMs = Date.now();
    const start = performance.now();
    const { command } = await commands.issueCommand({ executor: order.executor, kind: { case: 'ping', value: {} } });
    const id = command?.id ?? '';
    if (!arrived.delete(id)) {
      await new Promise<void>((resolve) => awaited.set(id, resolve));
      awaited.delete(id);
    }
    post({ type: 'ping', startMs, ms: performance.now() - start });
    await pause(PACE_MS);
  }
}

setInterval(() => say({ case: 'heartbeat', value: { number: 1n } }), HEARTBEAT_MS);
Promise.all([listen(), measure()]).catch((thrown: unknown) => post({ type: 'failed', message: messageOf(thrown) }));
