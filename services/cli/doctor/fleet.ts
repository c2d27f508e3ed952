import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Freshness, SourceState } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { messageOf } from '../../platform/errors.ts';
import type { Clients } from '../client.ts';
import { formatMs } from '../terminal/duration.ts';
import { agentFindings } from './agent.ts';
import { type Finding, ill, skipped, timed, well } from './finding.ts';
import { refusalFindings } from './refusal.ts';

const EXECUTORS_MAX = 1_000;
const QUEUE_FULL_SHARE = 0.8;
const ROUND_TRIP_MS_MAX = 2_000;
const SILENT_MS_MAX = 20_000;

/** Whether every evaluator has applied what is stored. */
export async function fanOutFinding(clients: Clients): Promise<Finding> {
  const step = 'strategies.fan_out';
  try {
    const { value, tookMs } = await timed(() => clients.strategies.getRollout({}));
    const behind = value.evaluators.filter(({ current }) => !current);
    if (behind.length === 0) {
      const found = `${value.evaluators.length} evaluators hold revision ${value.revision} with the same digest`;
      return well(step, found, tookMs);
    }
    const words = {
      found: `${behind.map(({ replicaId, appliedRevision }) => `${replicaId} is at ${appliedRevision}`).join('; ')}, the store at ${value.revision}`,
      meaning: 'these evaluators run older definitions for the moment; activations wait for them',
      next: 'look again in a few seconds: they re-read by themselves; then at NATS and at their logs',
    };
    return ill(step, 'warning', words, tookMs);
  } catch (thrown) {
    return skipped(step, `could not be asked: ${messageOf(thrown)}`);
  }
}

/** Whether prices come in for every running source. */
export async function marketFindings(clients: Clients): Promise<Finding[]> {
  try {
    const { value, tookMs } = await timed(() => clients.markets.listSources({ runningOnly: true }));
    if (value.sources.length === 0) return [well('market', 'no source runs', tookMs)];
    return value.sources.map(({ symbol, state, stats }) => {
      const step = `market:${symbol}`;
      const lastMs = stats?.lastEventTime === undefined ? undefined : timestampMs(stats.lastEventTime);
      const last = lastMs === undefined ? 'no event yet' : `last event of ${new Date(lastMs).toISOString()}`;
      if (stats?.freshness === Freshness.FRESH && state === SourceState.RUNNING) return well(step, last, tookMs);
      const blind = stats?.freshness !== Freshness.STALE;
      const words = {
        found: `${blind ? 'blind' : 'stale'}: ${last}`,
        meaning: blind ? 'sessions on it follow their disconnect policy' : 'no new entries are made on it; exits go on',
        next: 'strategos market list',
      };
      return ill(step, 'fault', words, tookMs);
    });
  } catch (thrown) {
    return [skipped('market', `could not be asked: ${messageOf(thrown)}`)];
  }
}

/** Every executor, by what the platform knows of it. */
export async function executorFindings(
  clients: Clients,
): Promise<{ readonly findings: readonly Finding[]; readonly online: readonly Executor[] }> {
  try {
    const { value, tookMs } = await timed(() => clients.executors.listExecutors({ pageSize: EXECUTORS_MAX }));
    if (value.executors.length === 0) {
      const words = {
        found: 'no executor is registered',
        meaning: 'there is nobody to send a command to',
        next: 'strategos executor create NAME --out NAME.json',
      };
      return { findings: [ill('executors', 'warning', words, tookMs)], online: [] };
    }
    return {
      findings: value.executors.flatMap((executor) => [
        executorFinding(executor, tookMs),
        ...agentFindings(executor, tookMs),
        ...refusalFindings(executor, tookMs),
      ]),
      online: value.executors.filter(({ state }) => state === ExecutorState.ONLINE),
    };
  } catch (thrown) {
    return { findings: [skipped('executors', `could not be asked: ${messageOf(thrown)}`)], online: [] };
  }
}

function executorFinding(executor: Executor, tookMs: number): Finding {
  const { name, state, queued, queuedMax, inFlight, inFlightMax, lastSeenTime, disconnectReason } = executor;
  const step = `executor:${name}`;
  const seen =
    lastSeenTime === undefined ? 'never seen' : `last seen ${new Date(timestampMs(lastSeenTime)).toISOString()}`;
  // The bound counts what is in flight too. A platform that does not tell its bound has it all the same.
  if (queuedMax > 0 && queued + inFlight >= queuedMax * QUEUE_FULL_SHARE) {
    const words = {
      found: `its queue is full: ${queued} commands wait and ${inFlight} are in flight, of at most ${queuedMax}`,
      meaning: 'when the queue is full, new commands are refused RESOURCE_EXHAUSTED; none is dropped',
      next: `strategos command list --executor ${name} --state pending`,
    };
    return ill(step, 'fault', words, tookMs);
  }
  switch (state) {
    case ExecutorState.ONLINE:
      return onlineFinding(executor, step, tookMs);
    case ExecutorState.OFFLINE: {
      const words = {
        found: `offline, ${seen}${disconnectReason === '' ? '' : ` (${disconnectReason})`}; ${queued} commands wait`,
        meaning: 'commands wait for it until their deadlines; exits for 24 h, entries for 5 min',
        next: `on its machine: strategos executor doctor --credentials FILE`,
      };
      return ill(step, 'fault', words, tookMs);
    }
    case ExecutorState.DISABLED:
      return well(step, 'disabled by an operator', tookMs);
    default: {
      const words = {
        found: `has never connected; ${queued} commands wait (${inFlight} of ${inFlightMax} in flight)`,
        meaning: 'its agent was never started, or cannot reach or pass the executor port',
        next: `on its machine: strategos executor doctor --credentials FILE`,
      };
      return ill(step, 'warning', words, tookMs);
    }
  }
}

function onlineFinding(executor: Executor, step: string, tookMs: number): Finding {
  const { name, agentVersion, queued, inFlight, inFlightMax, lastSeenTime, roundTrip } = executor;
  const roundTripMs = roundTrip === undefined ? undefined : durationMs(roundTrip);
  const silentMs = lastSeenTime === undefined ? Infinity : Date.now() - timestampMs(lastSeenTime);
  if (silentMs > SILENT_MS_MAX) {
    const words = {
      found: `its stream is open, and nothing has come over it for ${formatMs(silentMs)}`,
      meaning: 'the process lives and does not answer, or the network swallows one direction',
      next: `it is cut by itself within seconds; on its machine: strategos executor doctor --credentials FILE`,
    };
    return ill(step, 'fault', words, tookMs);
  }
  const found = `online, version ${agentVersion}, ${inFlight} of ${inFlightMax} in flight, ${queued} queued${
    roundTripMs === undefined ? '' : `, heartbeat ${formatMs(roundTripMs)}`
  }`;
  if (inFlight >= inFlightMax && queued > 0) {
    const words = {
      found: `${found}: at its limit`,
      meaning: 'it takes no more before some of what it has is finished',
      next: `strategos command list --executor ${name} --state running`,
    };
    return ill(step, 'warning', words, tookMs);
  }
  if (roundTripMs !== undefined && roundTripMs > ROUND_TRIP_MS_MAX) {
    const words = { found, meaning: 'its link is slow', next: 'look at its network' };
    return ill(step, 'warning', words, tookMs);
  }
  return well(step, found, tookMs);
}
