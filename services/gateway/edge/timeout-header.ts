/** Bounds of the time that a call may take, in milliseconds. */
export interface TimeoutLimits {
  /** For unary calls whose caller says nothing. */
  readonly unaryDefaultMs: number;
  /** A unary call never gets more, whatever its caller asks for. */
  readonly unaryMaxMs: number;
}

const CONNECT_TIMEOUT = 'connect-timeout-ms';
const GRPC_TIMEOUT = 'grpc-timeout';
/** The units of the header grpc-timeout, in milliseconds. */
const GRPC_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000001 };
/** Longest timer of Node is 24.8 days; beyond, it would fire at once. A watch with a longer deadline gets this one. */
const TIMER_MS_MAX = 20 * 86_400_000;

/**
 * Writes the deadline that is to be kept into the request's own timeout header: the caller's, within the limits, or the default.
 * Watches without a deadline stay without. A header that cannot be read is left alone, to be refused by the protocol handler.
 */
export function applyTimeout(header: Headers, isStream: boolean, isGrpc: boolean, limits: TimeoutLimits): void {
  const name = isGrpc ? GRPC_TIMEOUT : CONNECT_TIMEOUT;
  const asked = header.get(name);
  const askedMs = asked === null ? undefined : parsed(asked, isGrpc);
  if (asked !== null && askedMs === undefined) return;
  if (askedMs === undefined && isStream) return;
  const maxMs = isStream ? TIMER_MS_MAX : limits.unaryMaxMs;
  const timeoutMs = Math.max(1, Math.ceil(Math.min(askedMs ?? limits.unaryDefaultMs, maxMs)));
  header.set(name, isGrpc ? formatGrpc(timeoutMs) : String(timeoutMs));
}

function parsed(value: string, isGrpc: boolean): number | undefined {
  if (!isGrpc) return /^\d{1,10}$/.test(value) ? Number(value) : undefined;
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Number(digits) * (GRPC_UNITS[unit] ?? 1);
}

/** The header takes eight digits at most. */
function formatGrpc(timeoutMs: number): string {
  return timeoutMs < 100_000_000 ? `${timeoutMs}m` : `${Math.ceil(timeoutMs / 1_000)}S`;
}
