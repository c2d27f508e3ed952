import { create, type DescMessage, fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AgentBench, type PeerStream } from '../consumers/agent-bench.ts';
import { HeldVenue } from '../consumers/venue.ts';
import { SAMPLE, sampleId } from '../golden/sample-values.ts';
import { eventsSingly } from '../golden/singly.ts';
import { messageIn, type Schema } from '../schema/image.ts';
import { Places, type Step, type Transcript } from './transcript.ts';
import { documentOf } from '../schema/json.ts';

const CLOCK_STEPS = 20;

/**
 * The platform of a release talks to today's real agent: says what it said by its own descriptors, and the agent has to answer as
 * the agent of the release did, in that order.
 * @returns the step that did not take place, in words; undefined when all did
 */
export async function replayToExecutor(transcript: Transcript, release: Schema): Promise<string | undefined> {
  await using replay = new ExecutorReplay(release);
  return await replay.run(transcript);
}

class ExecutorReplay implements AsyncDisposable {
  readonly #release: Schema;
  readonly #places = new Places();
  readonly #agents = new Map<string, AgentBench>();
  readonly #streams = new Map<string, ListeningStream>();
  #commands = 0;

  constructor(release: Schema) {
    this.#release = release;
    this.#places.set('executor id', SAMPLE.executorId);
    this.#places.set('executor name', SAMPLE.executorName);
    this.#places.set('digest', 'd'.repeat(64));
  }

  async run({ agents, steps }: Transcript): Promise<string | undefined> {
    for (const [name, { journal, kinds, concurrencyMax }] of Object.entries(agents)) {
      this.#places.set(journal, journal);
      const options = { venue: new HeldVenue(kinds), journalId: journal };
      const bench = new AgentBench({ ...options, ...(concurrencyMax === undefined ? {} : { concurrencyMax }) });
      this.#agents.set(name, bench);
      await bench.executor.start();
    }
    for (const [at, step] of steps.entries()) {
      try {
        await this.#take(step);
      } catch (thrown) {
        return `step ${at + 1}, ${JSON.stringify(step).slice(0, 160)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) await agent[Symbol.asyncDispose]();
  }

  async #take(step: Step): Promise<void> {
    if ('operator' in step) {
      if (step.operator === 'issues') this.#places.set(step.command, sampleId((this.#commands += 1)));
      return;
    }
    if (!('agent' in step)) return;
    const agent = this.#agents.get(step.agent);
    if (agent === undefined) throw new Error(`there is no agent ${step.agent}`);
    if ('venue' in step) {
      await agent.venue.act(step.venue, this.#places.get(step.command) ?? '');
      return;
    }
    if ('waitsMs' in step) {
      await passTime(agent, step.waitsMs);
      return;
    }
    const key = `${step.agent} ${step.stream}`;
    if ('opens' in step) {
      this.#streams.set(key, new ListeningStream(await agent.stream()));
      return;
    }
    const stream = this.#streams.get(key);
    if (stream === undefined) throw new Error(`agent ${key} has opened no stream`);
    if ('says' in step) await this.#hears(stream, step.says);
    else if ('hears' in step) this.#say(stream, step.hears);
    else if ('ended' in step) stream.peer.end(new ConnectError(step.ended.code, codeOf(step.ended.code)));
    else stream.peer.end(new ConnectError('the network broke', Code.Unavailable));
  }

  #say(stream: ListeningStream, json: JsonObject): void {
    const desc: DescMessage = messageIn(this.#release, ConnectResponseSchema.typeName);
    const bytes = toBinary(desc, fromJson(desc, this.#places.fill(json)));
    stream.peer.toAgent.push(create(ConnectResponseSchema, fromBinary(ConnectResponseSchema, bytes)));
  }

  async #hears(stream: ListeningStream, expected: JsonObject): Promise<void> {
    const desc: DescMessage = messageIn(this.#release, ConnectRequestSchema.typeName);
    const said = await stream.next(`the agent does not say ${JSON.stringify(expected).slice(0, 100)}`);
    const json = toJson(desc, fromBinary(desc, toBinary(ConnectRequestSchema, said)));
    const mismatch = this.#places.mismatch(json, withoutAge(expected));
    if (mismatch !== undefined) throw new Error(`${mismatch}; the agent said ${JSON.stringify(json).slice(0, 200)}`);
  }
}

/** What a stream's agent says, one event at a time, without heartbeats. */
class ListeningStream {
  readonly peer: PeerStream;
  readonly #waiting: ConnectRequest[] = [];

  constructor(peer: PeerStream) {
    this.peer = peer;
  }

  async next(otherwise: string): Promise<ConnectRequest> {
    for (;;) {
      const waiting = this.#waiting.shift();
      if (waiting !== undefined) return waiting;
      const said = await this.peer.next(otherwise);
      if (said === undefined) throw new Error(`the agent ended the stream: ${otherwise}`);
      if (said.frame.case !== 'heartbeat' && said.frame.case !== 'heartbeatReply')
        this.#waiting.push(...eventsSingly(said));
    }
  }
}

/** In steps, so that what is due early has happened before what is due late. */
async function passTime(agent: AgentBench, ms: number): Promise<void> {
  for (let step = 0; step < CLOCK_STEPS; step++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    agent.clock.advance(ms / CLOCK_STEPS);
  }
}

/** How long ago something happened depends on how fast the machine was. */
function withoutAge(json: JsonObject): JsonObject {
  return documentOf(JSON.stringify(json, (key, value: unknown) => (key === 'age' ? undefined : value)));
}

function codeOf(name: string): Code {
  const found = Object.entries(Code).find(([key]) => key === name)?.[1];
  return typeof found === 'number' ? found : Code.Unknown;
}
