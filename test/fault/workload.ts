import { setTimeout as pause } from 'node:timers/promises';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CommandClient } from '../harness/clients.ts';
import type { RecordingAgent } from '../harness/recording-agent.ts';
import { type Random, seededRandom } from './random.ts';
import type { Recorder, Wish } from './recorder.ts';
import {
  cancelOrders,
  closePosition,
  deadlines,
  getStatus,
  openPosition,
  pauseSession,
  ping,
  resumeSession,
  startSession,
  startStrategy,
  stopAll,
  stopSession,
  stopStrategy,
} from './wishes.ts';

export interface WorkloadOptions {
  readonly seed: number;
  readonly agents: readonly [RecordingAgent, ...RecordingAgent[]];
  /** Clients that call at the same time, each one command after the other. */
  readonly clients: number;
  /** Commands of each client; without end when absent. */
  readonly commandsEach?: number;
  /** Ends the workload early. */
  readonly signal?: AbortSignal;
  /** Longest thinking time between two calls of a client; default none. */
  readonly thinkMsMax?: number;
  /** Where each client calls; default: the recorder's own. */
  readonly clientsOf?: readonly CommandClient[];
}

const SESSIONS = ['s1', 's2', 's3'] as const;
const STRATEGIES = ['x', 'y'] as const;
const SYMBOLS = ['BTC', 'ETH'] as const;
/** So many of the commands that were issued last may be cancelled. */
const RECENT_MAX = 20;

/** What one client has done. */
interface Memory {
  /** Newest last. */
  readonly recent: { readonly id: string; readonly agent: RecordingAgent }[];
  lastRequest: { readonly requestId: string; readonly wish: Wish; readonly agent: RecordingAgent } | undefined;
}

/**
 * Many clients with many kinds of commands on few sessions, so that keys collide: exits, entries, stops, kill switches, calls
 * repeated on purpose, request ids reused with another body, cancellations, short deadlines. The seed repeats the choices.
 */
export async function workload(recorder: Recorder, options: WorkloadOptions): Promise<number> {
  const counts = await Promise.all(Array.from({ length: options.clients }, (_, n) => client(recorder, options, n)));
  return counts.reduce((sum, each) => sum + each, 0);
}

async function client(recorder: Recorder, options: WorkloadOptions, number: number): Promise<number> {
  const random = seededRandom(options.seed * 1_000 + number);
  const memory: Memory = { recent: [], lastRequest: undefined };
  const requestPrefix = `w${options.seed}-${number}`;
  let issued = 0;
  for (let n = 0; n < (options.commandsEach ?? Number.POSITIVE_INFINITY); n++) {
    if (options.signal?.aborted === true) break;
    if ((options.thinkMsMax ?? 0) > 0) await pause(random.below(options.thinkMsMax ?? 0));
    if (await act(recorder, options, random, memory, `${requestPrefix}-${n}`, number)) issued += 1;
  }
  return issued;
}

/** One call or two; true when it issued a command. */
async function act(
  recorder: Recorder,
  options: WorkloadOptions,
  random: Random,
  memory: Memory,
  requestId: string,
  number: number,
): Promise<boolean> {
  const own = options.clientsOf?.[number % options.clientsOf.length];
  const through = own === undefined ? {} : { client: own };
  const victim = memory.recent[random.below(Math.max(1, memory.recent.length))];
  if (victim !== undefined && random.chance(0.06)) {
    await recorder.cancel(victim.id);
    return false;
  }
  if (victim !== undefined && random.chance(0.03)) {
    // Refused unless it has ended badly.
    const again = await recorder.retry(victim.agent, victim.id, { requestId, ...through });
    return again !== undefined;
  }
  const { lastRequest } = memory;
  if (lastRequest !== undefined && random.chance(0.05)) {
    // The same again, or something else under the same id: the first must give the same command, the second an error.
    const wish = random.chance(0.5) ? lastRequest.wish : ping(`another body ${requestId}`);
    await recorder.tryIssue(lastRequest.agent, wish, { requestId: lastRequest.requestId, repeatForMs: 0, ...through });
    return false;
  }
  const agent = random.pick(options.agents);
  const chosen = chooseWish(random);
  const wish = { ...chosen, ...chooseLimits(random, chosen) };
  const command = await recorder.tryIssue(agent, wish, { requestId, ...through });
  memory.lastRequest = { requestId, wish, agent };
  if (command === undefined) return false;
  memory.recent.push({ id: command.id, agent });
  if (memory.recent.length > RECENT_MAX) memory.recent.shift();
  return true;
}

function chooseWish(random: Random): Wish {
  const session = random.pick(SESSIONS);
  const strategy = random.pick(STRATEGIES);
  const symbol = random.pick(SYMBOLS);
  const dice = random.below(100);
  if (dice < 1) return stopAll();
  if (dice < 4) return stopSession(session);
  if (dice < 8) return startSession(session);
  if (dice < 14) return startStrategy(session, strategy, symbol);
  if (dice < 18) return stopStrategy(session, strategy, symbol);
  if (dice < 21) return pauseSession(session);
  if (dice < 24) return resumeSession(session);
  if (dice < 28) return cancelOrders(session);
  if (dice < 40) return ping(`ping ${dice}`);
  if (dice < 44) return getStatus();
  return dice < 72 ? openPosition(session, strategy, symbol) : closePosition(session, strategy, symbol);
}

/** Now and then a command that soon is stale, or must soon be delivered, received, started or finished. */
function chooseLimits(random: Random, { kind }: Wish): Partial<Wish> {
  const dice = random.below(100);
  if (dice < 4) return { notAfter: timestampFromMs(Date.now() + 20 + random.below(3_000)) };
  if (dice < 7) return deadlines({ deliverMs: 50 + random.below(3_000) });
  if (dice < 9) return deadlines({ receiveMs: 50 + random.below(500) });
  if (dice < 11) return deadlines({ startMs: 50 + random.below(1_000) });
  if (dice < 13) return deadlines({ finishMs: 50 + random.below(1_500) });
  // Only stops report progress.
  if (dice < 30 && kind?.case?.startsWith('stop') === true) return deadlines({ progressMs: 50 + random.below(1_000) });
  return {};
}
