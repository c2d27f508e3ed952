import { setTimeout as pause } from 'node:timers/promises';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import type { TestServers } from '../harness/servers.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { type FaultKind, NETWORK_FAULTS, PROCESS_FAULTS, pickFault, type Targets } from './campaign-faults.ts';
import { online } from './observe.ts';
import { type Random, seededRandom } from './random.ts';
import { Recorder } from './recorder.ts';
import { workload } from './workload.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Longest that a fault lasts. */
  readonly faultMsMax: number;
  readonly servers?: TestServers;
  /** Told of each fault as it begins. */
  readonly onFault?: (name: string) => void;
  /** Given the recorded history's file while it is there. */
  readonly onHistory?: (file: string) => void;
}

export interface CampaignResult {
  /** Breaches of invariants as text; empty when there are none. */
  readonly verdict: string;
  readonly summary: string;
  /** Names of the faults in the order in which they began. */
  readonly faults: readonly string[];
}

const EXECUTORS = ['alpha', 'beta'] as const;
const CLIENTS = 6;
const THINK_MS_MAX = 80;
const REST_BETWEEN_MS_MAX = 700;

/** Random faults under load, and the checker's verdict when everything has been mended and come to rest. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { seed, durationMs } = options;
  const servers = options.servers === undefined ? {} : { servers: options.servers };
  await using stack = await startStack({ commandReplicas: 2, nats: 'own', postgres: 'own', ...servers });
  await using recorder = await Recorder.start(stack, { watches: 2 });
  const [first, second] = stack.linkUrls.map((url) => Number(new URL(url).port));
  await using left = await TcpProxy.start(first ?? 0);
  await using right = await TcpProxy.start(second ?? 0);
  const agent = async (name: string, linkUrls: readonly string[]) =>
    recorder.follow(await startRecordingAgent(stack, { credentials: await stack.createExecutor(name), linkUrls }));
  const alpha = await agent(EXECUTORS[0], [left.url, right.url]);
  const beta = await agent(EXECUTORS[1], [right.url, left.url]);
  const targets: Targets = { stack, agents: [alpha, beta], proxies: [left, right] };
  const clientsOf = [await stack.commandClient(), stack.replicaCommandClient(0), stack.replicaCommandClient(1)];
  await Promise.all(EXECUTORS.map((name) => online(stack, name)));

  const stop = new AbortController();
  const load = workload(recorder, {
    seed,
    agents: targets.agents,
    clients: CLIENTS,
    clientsOf,
    thinkMsMax: THINK_MS_MAX,
    signal: stop.signal,
  });
  const endMs = performance.now() + durationMs;
  const faults: string[] = [];
  const make = async (kinds: readonly [FaultKind, ...FaultKind[]], random: Random): Promise<void> => {
    while (performance.now() < endMs) {
      await pause(random.below(REST_BETWEEN_MS_MAX));
      const kind = pickFault(kinds, random);
      const lastMs = 50 + random.below(options.faultMsMax);
      faults.push(kind.name);
      options.onFault?.(kind.name);
      await recorder.fault(kind.name, kind.platformAway, () => kind.run(targets, random, lastMs));
    }
  };
  await Promise.all([make(PROCESS_FAULTS, seededRandom(seed)), make(NETWORK_FAULTS, seededRandom(seed + 1))]);
  stop.abort();
  await load;
  await Promise.all(EXECUTORS.map((name) => online(stack, name, { timeoutMs: 60_000 })));
  const verdict = await recorder.verdict();
  options.onHistory?.(recorder.file);
  return { verdict, summary: recorder.summary, faults };
}
