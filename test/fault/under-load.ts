import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { type StackOptions, startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { workload } from './workload.ts';

const CLIENTS = 6;
const THINK_MS_MAX = 10;
const EFFECTS_MS_MAX = 30_000;

/** A platform in the middle of its work: clients that call all the time, an agent that acts, and a record of it all. */
export class UnderLoad implements AsyncDisposable {
  readonly stack: TestStack;
  readonly recorder: Recorder;
  readonly agent: RecordingAgent;
  readonly #stop = new AbortController();
  readonly #load: Promise<unknown>;

  private constructor(
    stack: TestStack,
    recorder: Recorder,
    agent: RecordingAgent,
    load: (signal: AbortSignal) => Promise<unknown>,
  ) {
    this.stack = stack;
    this.recorder = recorder;
    this.agent = agent;
    this.#load = load(this.#stop.signal);
  }

  /** Clients call each replica, and the gateway. */
  static async start(seed: number, options: StackOptions): Promise<UnderLoad> {
    const stack = await startStack(options);
    const recorder = await Recorder.start(stack, { watches: 2 });
    const credentials = await stack.createExecutor('worker');
    const agent = recorder.follow(await startRecordingAgent(stack, { credentials }));
    await online(stack, 'worker');
    const clientsOf = [
      ...stack.replicas.map((_, index) => stack.replicaCommandClient(index)),
      await stack.commandClient(),
    ];
    const load = { seed, agents: [agent], clients: CLIENTS, clientsOf, thinkMsMax: THINK_MS_MAX } as const;
    return new UnderLoad(stack, recorder, agent, (signal) => workload(recorder, { ...load, signal }));
  }

  /** Resolves when the agent has acted so many more times. */
  async moreEffects(count: number): Promise<void> {
    const before = this.agent.acts('effect').length;
    await until(() => this.agent.acts('effect').length >= before + count, `${count} more effects`, EFFECTS_MS_MAX);
  }

  /** Ends the calls and gives what was broken meanwhile, empty for nothing. */
  async verdict(): Promise<string> {
    this.#stop.abort();
    await this.#load;
    const verdict = await this.recorder.verdict();
    process.stdout.write(`${this.recorder.summary}\n`);
    return verdict;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.recorder[Symbol.asyncDispose]();
    await this.stack[Symbol.asyncDispose]();
  }
}
