import { create, fromJson, type JsonObject, toJson } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type IssueCommandRequest,
  IssueCommandRequestSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { GrpcTransport } from '../../services/platform/grpc/transport.ts';
import { until } from '../../test/harness/until.ts';
import { AgentBench } from '../consumers/agent-bench.ts';
import { HeldVenue } from '../consumers/venue.ts';
import { isObject } from '../golden/frame.ts';
import { commandsSingly, eventsSingly } from '../golden/singly.ts';
import { streamLink } from '../providers/agent-links.ts';
import type { LivePlatform } from '../providers/live-platform.ts';
import { endOf } from './stream-end.ts';
import { abstract, type AgentFacts, type Step, type Transcript } from './transcript.ts';
import { objectOf } from '../schema/json.ts';
import { streamOf } from '../schema/stream.ts';

/** Lets real agents talk to the real platform and writes down what is said and done. */
export class Recorder implements AsyncDisposable {
  readonly #platform: LivePlatform;
  readonly #credentials: Credentials;
  readonly #steps: Step[] = [];
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #agents = new Map<string, RecordedAgent>();
  readonly #facts: Record<string, AgentFacts> = {};

  constructor(platform: LivePlatform, credentials: Credentials) {
    this.#platform = platform;
    this.#credentials = credentials;
    this.#names.set(credentials.executorId, 'executor id').set(credentials.executorName, 'executor name');
  }

  /** Starts an agent of its own journal; all of them have the same credential. */
  async agent(name: string, facts: Omit<AgentFacts, 'journal'> = {}, urls?: readonly string[]): Promise<RecordedAgent> {
    const journal = `journal ${name}`;
    this.#facts[name] = { journal, ...facts };
    const agent = new RecordedAgent(name, (step) => this.#steps.push(step), this.#names);
    this.#agents.set(name, agent);
    await agent.start(urls ?? [this.#platform.replica.linkUrl], this.#credentials, {
      ...facts,
      journalId: `${journal} ${this.#credentials.executorId}`,
    });
    this.#names.set(`${journal} ${this.#credentials.executorId}`, journal);
    return agent;
  }

  async issue(command: string, request: JsonObject): Promise<void> {
    const at = this.#steps.push({ operator: 'issues', command, request });
    const { command: issued } = await this.#platform.commands.issueCommand(this.#request(request));
    this.#names.set(issued?.id ?? '', command);
    this.#ids.set(command, issued?.id ?? '');
    // Frames that were said meanwhile knew the command before it had its name.
    for (let i = at; i < this.#steps.length; i++) this.#steps[i] = this.#named(this.#steps[i]);
  }

  async refused(request: JsonObject): Promise<void> {
    try {
      await this.#platform.commands.issueCommand(this.#request(request));
    } catch (thrown) {
      const { code, reason = '' } = endOf(ConnectError.from(thrown));
      this.#steps.push({ operator: 'is refused', request, code, reason });
      return;
    }
    throw new Error('the command was not refused');
  }

  async cancel(command: string): Promise<void> {
    this.#steps.push({ operator: 'cancels', command });
    await this.#platform.commands.cancelCommand({ id: this.#ids.get(command) ?? '' });
  }

  /** Ends what the credential of all these agents may do. */
  async disable(): Promise<void> {
    this.#steps.push({ operator: 'disables' });
    await this.#platform.executors.disableExecutor({ executor: this.#credentials.executorId });
  }

  /** Waits until the operator sees the command in that state. */
  async sees(command: string, state: CommandState): Promise<void> {
    await until(async () => {
      const { command: found } = await this.#platform.commands.getCommand({ id: this.#ids.get(command) ?? '' });
      return found?.state === state;
    }, `${command} is ${CommandState[state]}`);
    this.#steps.push({ operator: 'sees', command, state: `COMMAND_STATE_${CommandState[state]}` });
  }

  async venue(does: 'succeeds' | 'fails' | 'reports', agent: string, command: string): Promise<void> {
    const { venue } = this.#agent(agent).bench;
    const id = this.#ids.get(command) ?? '';
    await venue.execution(id);
    this.#steps.push({ venue: does, agent, command });
    await venue.act(does, id);
  }

  async drain(): Promise<void> {
    this.#steps.push({ platform: 'drains' });
    await this.#platform.replica.stop();
  }

  /** Resolves when so many steps of that agent, from that stream on, are such a frame. */
  async until(agent: string, what: string, stream = 1, times = 1): Promise<void> {
    await until(
      () =>
        this.#steps.filter(
          (step) => 'stream' in step && step.agent === agent && step.stream >= stream && sayingOf(step) === what,
        ).length >= times,
      `${agent}: ${what}`,
    );
  }

  transcript(name: string, about: string): Transcript {
    return { name, about, agents: this.#facts, steps: [...this.#steps] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) await agent.bench[Symbol.asyncDispose]();
  }

  #request(request: JsonObject): IssueCommandRequest {
    return fromJson(IssueCommandRequestSchema, { ...request, executor: this.#credentials.executorId });
  }

  #agent(name: string): RecordedAgent {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new Error(`there is no agent ${name}`);
    return agent;
  }

  #named(step: Step | undefined): Step {
    if (step === undefined) throw new RangeError('there is no such step');
    if ('says' in step) return { ...step, says: objectOf(abstract(step.says, this.#names)) };
    return 'hears' in step ? { ...step, hears: objectOf(abstract(step.hears, this.#names)) } : step;
  }
}

/** "says finished", "hears welcome": what a step is about, in two words. */
function sayingOf(step: Step): string {
  if ('ended' in step) return 'ended';
  const [verb, json] = 'says' in step ? ['says', step.says] : 'hears' in step ? ['hears', step.hears] : ['', {}];
  const text = JSON.stringify(json);
  const event = /"(received|started|progress|finished|notFound)":/.exec(text)?.[1];
  return `${verb} ${event ?? Object.keys(json)[0]}`;
}

interface Place {
  readonly agent: string;
  readonly stream: number;
}

/** A real agent whose link is listened to. */
export class RecordedAgent {
  readonly name: string;
  readonly #write: (step: Step) => void;
  readonly #names: ReadonlyMap<string, string>;
  #bench: AgentBench | undefined;
  #breaking = new AbortController();
  #deafTo = '';
  #welcomes = 0;
  #streams = 0;

  constructor(name: string, write: (step: Step) => void, names: ReadonlyMap<string, string>) {
    this.name = name;
    this.#write = write;
    this.#names = names;
  }

  get bench(): AgentBench {
    if (this.#bench === undefined) throw new Error(`agent ${this.name} has not started`);
    return this.#bench;
  }

  async start(
    urls: readonly string[],
    credentials: Credentials,
    { kinds, concurrencyMax, journalId }: Omit<AgentFacts, 'journal'> & { readonly journalId: string },
  ): Promise<void> {
    let opened = 0;
    this.#bench = await AgentBench.start({
      venue: new HeldVenue(kinds),
      journalId,
      ...(concurrencyMax === undefined ? {} : { concurrencyMax }),
      transport: () => this.#tapped(urls[Math.min(opened++, urls.length - 1)] ?? '', credentials),
    });
  }

  /** The agent's clock goes on. */
  wait(waitsMs: number): void {
    this.#write({ agent: this.name, waitsMs });
    this.bench.clock.advance(waitsMs);
  }

  /** From now on, until it connects again, the agent does not hear such frames: they are lost on the way. */
  deafTo(frame: string): void {
    this.#deafTo = frame;
  }

  /** Lets the clock run until the agent has connected again. */
  async reconnected(stepMs: number): Promise<void> {
    const welcomes = this.#welcomes;
    await until(() => {
      if (this.bench.executor.state.kind === 'backing_off') this.wait(stepMs);
      return this.#welcomes > welcomes;
    }, `agent ${this.name} connects again`);
  }

  /** The network breaks. */
  break(): void {
    this.#write({ agent: this.name, stream: this.#streams, breaks: true });
    this.#breaking.abort(new Error('the network broke'));
  }

  #tapped(url: string, credentials: Credentials): GrpcTransport {
    const real = streamLink(url, credentials);
    const write = this.#write;
    const agent = this.name;
    const stream: GrpcTransport['stream'] = async (method, signal, timeoutMs, header, input, context) => {
      this.#streams += 1;
      const place = { agent, stream: this.#streams };
      write({ ...place, opens: true });
      const breaking = new AbortController();
      this.#breaking = breaking;
      const said = this.#tap(place, streamOf<ConnectRequest>(input), (message) => {
        if (message.frame.case === 'heartbeatReply') return true;
        for (const each of eventsSingly(create(ConnectRequestSchema, message)))
          write({ ...place, says: this.#json(toJson(ConnectRequestSchema, each)) });
        return true;
      });
      const response = await real.stream(
        method,
        anyOf(signal, breaking.signal),
        timeoutMs,
        header,
        streamOf(said),
        context,
      );
      const heard = this.#tap(place, streamOf<ConnectResponse>(response.message), (message) => {
        const { frame } = message;
        if (frame.case === 'welcome') this.#welcomed();
        if (frame.case === 'heartbeat' || frame.case === this.#deafTo) return frame.case === 'heartbeat';
        for (const each of commandsSingly(message))
          write({ ...place, hears: this.#json(toJson(ConnectResponseSchema, each)) });
        return true;
      });
      return { ...response, message: streamOf(heard) };
    };
    return { unary: real.unary.bind(real), stream, close: () => real.close() };
  }

  #welcomed(): void {
    this.#welcomes += 1;
    this.#deafTo = '';
  }

  /** Notes each message on its way; what the note does not let pass is lost. */
  async *#tap<T>(place: Place, messages: AsyncIterable<T>, note: (message: T) => boolean): AsyncGenerator<T> {
    try {
      for await (const message of messages) {
        if (note(message)) yield message;
      }
    } catch (thrown) {
      if (thrown instanceof ConnectError && endOf(thrown).reason !== undefined && !this.#breaking.signal.aborted)
        this.#write({ ...place, ended: endOf(thrown) });
      throw thrown;
    }
  }

  #json(json: ReturnType<typeof toJson>): JsonObject {
    const named = abstract(json, this.#names);
    return isObject(named) ? named : {};
  }
}

function anyOf(first: AbortSignal | undefined, second: AbortSignal): AbortSignal {
  return first === undefined ? second : AbortSignal.any([first, second]);
}
