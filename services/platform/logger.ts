import { type DestinationStream, type Logger, pino } from 'pino';
import { LogLines } from './log-lines.ts';

export type { Logger };

/** Fields whose values never reach a log, wherever they stand. */
const REDACTED_PATHS = ['secret', 'token', 'bearer', 'authorization', 'password', 'databaseUrl'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/**
 * The process's logger: JSON lines on stdout, one `service` field, secrets redacted by field name.
 * Messages are constant lowercase phrases; what varies goes into fields. Logging never throws. A `level` that does not
 * exist counts as `info`: the configuration is what refuses it, by name and together with everything else that is wrong.
 */
export function createLogger(service: string, level: string, destination: DestinationStream = new LogLines()): Logger {
  const options = {
    level: Object.hasOwn(pino.levels.values, level) || level === 'silent' ? level : 'info',
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  };
  return pino(options, destination);
}
