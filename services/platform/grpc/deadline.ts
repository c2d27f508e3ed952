/**
 * Longest time a call may be given, in milliseconds (23 days). A little above it, at 2^31 ms, grpc-js and Node's timers
 * overflow and the call fails at once.
 */
export const CALL_MS_MAX = 2_000_000_000;

/** Brings a timeout into 0…CALL_MS_MAX; undefined stays "no limit". */
export function clampTimeoutMs(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined || Number.isNaN(timeoutMs)) return undefined;
  return Math.min(Math.max(timeoutMs, 0), CALL_MS_MAX);
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** Milliseconds of a `grpc-timeout` header such as "250m"; undefined when it is malformed. */
export function parseGrpcTimeout(header: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  return match === null || unitMs === undefined ? undefined : Number(match[1]) * unitMs;
}

/** A `grpc-timeout` header; at most eight digits are allowed, so long times are given in seconds. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const wholeMs = Math.max(1, Math.ceil(timeoutMs));
  return wholeMs < 100_000_000 ? `${wholeMs}m` : `${Math.ceil(wholeMs / 1_000)}S`;
}
