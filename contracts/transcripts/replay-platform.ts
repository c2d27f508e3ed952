import { create, type DescMessage, fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf';
import { ConnectError, createClient } from '@connectrpc/connect';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { IssueCommandRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import type { GrpcTransport } from '../../services/platform/grpc/transport.ts';
import { until } from '../../test/harness/until.ts';
import { inTime } from '../consumers/agent-bench.ts';
import { commandsSingly } from '../golden/singly.ts';
import { streamLink } from '../providers/agent-links.ts';
import type { LivePlatform, LiveReplica } from '../providers/live-platform.ts';
import { messageIn, type Schema } from '../schema/image.ts';
import { endOf } from './stream-end.ts';
import { Places, type Step, type Transcript } from './transcript.ts';
import { objectOf } from '../schema/json.ts';

const FRAMES_MAX = 10_000;
/** Long enough for a loaded machine: what is right must never be taken for a break, and few breaks are noticed by waiting. */
const HEAR_MS_MAX = 8_000;

/** What happens to the platform's frames on their way, when a mutation stands in between. */
export interface OnTheWire {
  readonly fromPlatform: (frames: AsyncIterable<ConnectResponse>) => AsyncIterable<ConnectResponse>;
  /** The frame as the platform under test takes it. */
  readonly toPlatform: (frame: ConnectRequest) => ConnectRequest;
}

export const UNCHANGED: OnTheWire = { fromPlatform: (frames) => frames, toPlatform: (frame) => frame };

export interface ReplayOptions {
  readonly platform: LivePlatform;
  /** Descriptors of the release whose agent speaks. */
  readonly release: Schema;
  /** Digest that the release reports. */
  readonly digest: string;
  readonly wire?: OnTheWire;
}

/**
 * The agent of a release talks to today's platform: says what it said, byte for byte by its own descriptors, and has to hear what
 * it heard, in that order, by its own descriptors.
 * @returns the step that did not take place, in words; undefined when all did
 */
export async function replayToPlatform(transcript: Transcript, options: ReplayOptions): Promise<string | undefined> {
  await using replay = new PlatformReplay(options, await options.platform.createExecutor(transcript.name));
  return await replay.run(transcript);
}

class PlatformReplay implements AsyncDisposable {
  readonly #options: ReplayOptions;
  readonly #credentials: Credentials;
  readonly #places = new Places();
  readonly #peers = new Map<string, Peer>();
  #replica: LiveReplica;
  /** Replicas on their way out. */
  readonly #drained: Promise<void>[] = [];

  constructor(options: ReplayOptions, credentials: Credentials) {
    this.#options = options;
    this.#credentials = credentials;
    this.#replica = options.platform.replica;
    this.#places.set('executor id', credentials.executorId);
    this.#places.set('executor name', credentials.executorName);
    this.#places.set('digest', options.digest);
  }

  async run({ agents, steps }: Transcript): Promise<string | undefined> {
    for (const { journal } of Object.values(agents))
      this.#places.set(journal, `${journal} ${this.#credentials.executorId}`);
    const second = steps.some((step) => 'platform' in step) ? await this.#options.platform.anotherReplica() : undefined;
    for (const [at, step] of steps.entries()) {
      try {
        if ('platform' in step && second !== undefined) await this.#drain(second);
        else await this.#take(step);
      } catch (thrown) {
        return `step ${at + 1}, ${JSON.stringify(step).slice(0, 160)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers.values()) peer.close();
    await Promise.all(this.#drained);
  }

  async #drain(second: LiveReplica): Promise<void> {
    const first = this.#replica;
    this.#replica = second;
    this.#drained.push(first.stop());
  }

  async #take(step: Step): Promise<void> {
    const { commands } = this.#options.platform;
    if ('operator' in step) {
      switch (step.operator) {
        case 'issues': {
          const { command } = await commands.issueCommand(this.#request(step.request));
          this.#places.set(step.command, command?.id ?? '');
          return;
        }
        case 'is refused':
          await this.#refused(step);
          return;
        case 'cancels':
          await commands.cancelCommand({ id: this.#places.get(step.command) ?? '' });
          return;
        case 'disables':
          await this.#options.platform.executors.disableExecutor({ executor: this.#credentials.executorId });
          return;
        case 'sees':
          await this.#sees(step);
          return;
      }
    }
    if (!('stream' in step)) return;
    const key = `${step.agent} ${step.stream}`;
    if ('opens' in step) {
      const peer = new Peer(this.#replica.linkUrl, this.#credentials, this.#options);
      this.#peers.set(key, peer);
      return;
    }
    const peer = this.#peers.get(key);
    if (peer === undefined) throw new Error(`agent ${key} has opened no stream`);
    if ('says' in step) peer.say(objectOf(this.#places.fill(step.says)));
    else if ('hears' in step) await peer.hear(step.hears, this.#places);
    else if ('ended' in step) await peer.ended(step.ended);
    else peer.close();
  }

  #request(request: JsonObject) {
    return fromJson(IssueCommandRequestSchema, { ...request, executor: this.#credentials.executorId });
  }

  async #refused({ request, code, reason }: Extract<Step, { operator: 'is refused' }>): Promise<void> {
    try {
      await this.#options.platform.commands.issueCommand(this.#request(request));
    } catch (thrown) {
      const end = endOf(ConnectError.from(thrown));
      if (end.code === code && end.reason === reason) return;
      throw new Error(`it is refused with ${end.code} (${end.reason ?? 'no reason'})`, { cause: thrown });
    }
    throw new Error('it is not refused');
  }

  async #sees({ command, state, reason }: Extract<Step, { operator: 'sees' }>): Promise<void> {
    const id = this.#places.get(command) ?? '';
    await until(async () => {
      const { command: found } = await this.#options.platform.commands.getCommand({ id });
      return (
        `COMMAND_STATE_${CommandState[found?.state ?? 0]}` === state &&
        (reason === undefined || found?.error !== undefined)
      );
    }, `${command} is ${state}`);
  }
}

/** The agent's end of one stream, with the descriptors of its release. */
class Peer {
  readonly #options: ReplayOptions;
  readonly #transport: GrpcTransport;
  readonly #said = new AsyncQueue<ConnectRequest>({ itemsMax: FRAMES_MAX });
  readonly #heard: AsyncIterator<ConnectResponse>;
  readonly #breaking = new AbortController();

  constructor(url: string, credentials: Credentials, options: ReplayOptions) {
    this.#options = options;
    this.#transport = streamLink(url, credentials);
    const frames = createClient(ExecutorLinkService, this.#transport).connect(this.#said, {
      signal: this.#breaking.signal,
    });
    this.#heard = singly((options.wire ?? UNCHANGED).fromPlatform(frames))[Symbol.asyncIterator]();
  }

  say(json: JsonObject): void {
    const desc: DescMessage = messageIn(this.#options.release, ConnectRequestSchema.typeName);
    const bytes = toBinary(desc, fromJson(desc, json));
    const frame = fromBinary(ConnectRequestSchema, bytes);
    this.#said.push(create(ConnectRequestSchema, (this.#options.wire ?? UNCHANGED).toPlatform(frame)));
  }

  async hear(expected: JsonObject, places: Places): Promise<void> {
    const desc: DescMessage = messageIn(this.#options.release, ConnectResponseSchema.typeName);
    const next = await inTime(this.#heard.next(), `it is not heard: ${Object.keys(expected)[0]}`, HEAR_MS_MAX);
    if (next.done === true) throw new Error('the stream has ended');
    const json = toJson(desc, fromBinary(desc, toBinary(ConnectResponseSchema, next.value)));
    const mismatch = places.mismatch(json, expected);
    if (mismatch !== undefined) throw new Error(`${mismatch}; heard ${JSON.stringify(json).slice(0, 200)}`);
  }

  async ended(expected: { readonly code: string; readonly reason?: string }): Promise<void> {
    try {
      const next = await inTime(this.#heard.next(), 'the stream does not end', HEAR_MS_MAX);
      if (next.done !== true) throw new Error(`heard ${next.value.frame.case} instead of the end of the stream`);
    } catch (thrown) {
      const end = endOf(ConnectError.from(thrown));
      if (end.code === expected.code && end.reason === expected.reason) return;
      throw thrown;
    }
    throw new Error(`the stream ended well instead of ${expected.code}`);
  }

  /** The network breaks. */
  close(): void {
    this.#readOn().catch(() => undefined);
    this.#breaking.abort(new Error('the network broke'));
    this.#said.end();
    this.#transport.close();
  }

  /** Somebody has to take the end of a call. */
  async #readOn(): Promise<void> {
    for (let next = await this.#heard.next(); next.done !== true; next = await this.#heard.next()) continue;
  }
}

async function* singly(frames: AsyncIterable<ConnectResponse>): AsyncGenerator<ConnectResponse> {
  for await (const frame of frames) if (frame.frame.case !== 'heartbeat') yield* commandsSingly(frame);
}
