import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Command } from 'commander';
import { messageOf } from '../../platform/errors.ts';
import type { Cli, Session } from '../cli.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';
import { METRICS_PATH, metricsServer } from './endpoint.ts';
import { Exposition, type Look } from './exposition.ts';

/** Not one of those that `strategos up` takes. */
const PORT_DEFAULT = '9464';

interface MetricsOptions {
  readonly host: string;
  readonly port: string;
  readonly once?: true;
}

/** `strategos metrics`: the account's figures for Prometheus, as the token sees them. */
export function registerMetrics(program: Command, cli: Cli): void {
  program
    .command('metrics')
    .description("serve the account's figures to Prometheus until Ctrl-C; a viewer's token is enough")
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <n>', 'where to listen', PORT_DEFAULT)
    .option('--once', 'print them and end')
    .action((options: MetricsOptions, command: Command) => {
      const port = parsePort(options.port);
      cli.outlivesReader = options.once !== true;
      return cli.withClients(command, (session) =>
        options.once === true ? printOnce(session) : serve(session, options.host, port),
      );
    });
}

async function printOnce(session: Session): Promise<void> {
  const { text, missing } = await new Exposition(session).look();
  process.stdout.write(text);
  if (missing.size > 0) throw new CliError(EXIT.failed, reasonsText(missing));
}

async function serve(session: Session, host: string, port: number): Promise<void> {
  const server = metricsServer(new Exposition(session), changesTo(session.out));
  await listening(server, host, port);
  session.out.say(`figures of ${session.url} at http://${host}:${port}${METRICS_PATH}`);
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort());
  if (!stopped.signal.aborted) await once(stopped.signal, 'abort');
  server.closeAllConnections();
  server.close();
}

/** Tells what is missing when that changes, and not at every scrape. */
function changesTo(out: Output): (look: Look) => void {
  let before = '';
  return ({ missing }) => {
    const now = reasonsText(missing);
    if (now !== before) out.note(now === '' ? 'all figures are there again' : now);
    before = now;
  };
}

function reasonsText(missing: Look['missing']): string {
  return [...missing].map(([part, reason]) => `figures of ${part} are missing: ${reason}`).join('\n');
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (thrown) {
    throw new CliError(EXIT.failed, `cannot listen on ${host}:${port}: ${messageOf(thrown)}; choose another --port`);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw usageError(`--port ${text} is no port: 1 to 65535`);
  return port;
}
