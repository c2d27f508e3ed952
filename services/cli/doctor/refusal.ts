import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { refusalText } from '../executor/view.ts';
import { type Finding, ill } from './finding.ts';

/** An agent that is refused calls again within a minute: what is older than this is over, unless it is why nobody is connected. */
const LATELY_MS = 600_000;

/** Whether somebody calls for the executor and is refused: a fault where that is why it is not connected. */
export function refusalFindings(executor: Executor, tookMs: number, nowMs: number = Date.now()): Finding[] {
  const { name, state, lastRefusal, connectTime } = executor;
  if (lastRefusal?.time === undefined) return [];
  const atMs = timestampMs(lastRefusal.time);
  const step = `refusal:${name}`;
  const found = refusalText(lastRefusal);
  const next = lastRefusal.remedy;
  if (lastRefusal.current && state !== ExecutorState.DISABLED && !lastRefusal.credentialProven) {
    const meaning =
      'it may be its own agent with the wrong file, and then no command reaches it; or somebody else, who knows its key';
    return [ill(step, 'warning', { found, meaning, next }, tookMs)];
  }
  if (lastRefusal.current && state !== ExecutorState.DISABLED) {
    const meaning = 'it is not merely away: until this is put right no command reaches it';
    return [ill(step, 'fault', { found, meaning, next }, tookMs)];
  }
  const sinceConnected = connectTime === undefined || atMs > timestampMs(connectTime);
  if (!sinceConnected || nowMs - atMs > LATELY_MS || state === ExecutorState.OFFLINE) return [];
  const meaning =
    state === ExecutorState.DISABLED
      ? 'its agent still runs somewhere, and may still hold positions'
      : 'the agent that is connected works; another one calls with its credential, or with its key';
  return [ill(step, 'warning', { found, meaning, next }, tookMs)];
}
