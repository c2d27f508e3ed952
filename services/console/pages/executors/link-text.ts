import { ContractVerdict } from '../../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Executor, LinkKind } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { spanMsOf, spanText } from '../../parts/time.ts';

/** How the agent reaches the platform. */
export function linkText({ link }: Executor): string {
  if (link === LinkKind.STREAM) return 'stream';
  return link === LinkKind.POLL ? 'polling' : '–';
}

/** Round trip of the last heartbeat. */
export function roundTripText({ roundTrip }: Executor): string {
  const ms = spanMsOf(roundTrip);
  return ms === undefined ? '–' : spanText(ms);
}

/** The agent's clock against the platform's at its last Hello; empty where it told no time. */
export function clockOffsetText({ clockOffset }: Executor): string {
  const ms = spanMsOf(clockOffset);
  if (ms === undefined) return '';
  return `${spanText(Math.abs(ms))} ${ms < 0 ? 'behind' : 'ahead'}`;
}

/** What the platform makes of the agent's wire format. */
export function wireVerdictText({ contractVerdict }: Executor): string {
  return (ContractVerdict[contractVerdict] ?? 'unknown').toLowerCase().replaceAll('_', ' ');
}
