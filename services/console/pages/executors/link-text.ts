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
