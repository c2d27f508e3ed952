import { relative } from 'node:path';
import type { Command } from 'commander';
import colors from 'picocolors';
import type { Platform } from '../../deploy/local/platform.ts';
import { derivePorts, GATEWAY_PORT_DEFAULT, REPLICAS_MAX, type Replicas } from '../../deploy/local/platform-ports.ts';
import { readEnv } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { type Cli, globals } from './cli.ts';
import { formatMs } from './terminal/duration.ts';
import { usageError } from './terminal/errors.ts';
import type { Output } from './terminal/output.ts';

interface UpOptions {
  readonly port: string;
  readonly replicas?: readonly string[];
  readonly demo: boolean;
}

const EXAMPLES = `
Ports are counted up from --port N: the gateway listens on N, executors reach command replica i on N+10+i, the replica's
internal port is N+20+i, PostgreSQL has N+30, NATS N+31, the services that trade N+32 to N+35, alerts N+36,
evaluator replica i N+40+i.
With NATS_URL set, that NATS is used and none is started.

Examples:
  $ strategos up
  $ strategos up --port 8070 --data /srv/strategos --replicas command=2 --no-demo`;

/** `strategos up`: the whole platform on this machine, until Ctrl-C. */
export function registerUp(program: Command, cli: Cli): void {
  program
    .command('up')
    .description('bring the whole platform up on this machine, until Ctrl-C')
    .option('--port <n>', "the gateway's port; the others are counted up from it (STRATEGOS_PORT)", portDefault())
    .option('--replicas <service=n...>', 'command=2 runs two replicas of the command service; evaluator=2 likewise')
    .option('--no-demo', 'without the paper executor "demo" and what it trades')
    .addHelpText('after', EXAMPLES)
    .action(async (options: UpOptions, command: Command) => {
      const replicas = parseReplicas(options.replicas ?? []);
      const port = parsePort(options.port, replicas);
      const out = cli.output(command);
      const data = cli.dataDirectory(command);
      const stop = stopSignal();
      cli.outlivesReader = true;
      const startedMs = performance.now();
      out.say(`starting on ${shownPath(data.root)} …`);
      // Only this command needs servers.
      const { startPlatform } = await import('../../deploy/local/platform.ts');
      let platform: Platform;
      try {
        platform = await startPlatform({
          dataDirectory: data.root,
          port,
          replicas,
          demo: options.demo,
          report: (line) => out.note(line),
          signal: stop.signal,
        });
      } catch (thrown) {
        if (stop.signal.aborted) return;
        throw thrown;
      }
      announce(out, platform, { startedMs, demo: options.demo, prefix: commandPrefix(command, data.root) });
      await stop.asked;
      out.say('stopping …');
      await platform.stop();
      out.say(`stopped; data is kept in ${shownPath(data.root)}`);
    });
}

/** Ctrl-C and SIGTERM, as often as they come, ask once. */
function stopSignal(): { readonly signal: AbortSignal; readonly asked: Promise<void> } {
  const controller = new AbortController();
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        controller.abort();
        resolve();
      });
    }
  });
  return { signal: controller.signal, asked };
}

function announce(
  out: Output,
  platform: Platform,
  { startedMs, demo, prefix }: { readonly startedMs: number; readonly demo: boolean; readonly prefix: string },
): void {
  out.document({
    url: platform.url,
    dataDirectory: platform.data.root,
    parts: platform.parts.map((part) => ({ ...part })),
  });
  out.say(`${colors.green('up')} after ${formatMs(performance.now() - startedMs)}`);
  out.say('');
  out.table(
    ['PART', 'LISTENS ON', ''],
    platform.parts.map(({ name, address, note }) => [name, address, note]),
    '',
  );
  out.say('');
  out.say('Try, in another terminal:');
  const executor = demo ? 'demo' : 'NAME';
  if (!demo) out.say(`  ${prefix} executor create NAME --out NAME.json`);
  out.say(`  ${prefix} command send ${executor} ping --wait 5s`);
  out.say(demo ? `  ${prefix} session list` : `  ${prefix} command list`);
  if (demo) out.say(`  ${prefix} doctor`);
  out.say('');
  out.say(colors.dim('Ctrl-C stops everything.'));
}

/** How this very platform is reached from the folder in which the command was typed. */
function commandPrefix(command: Command, root: string): string {
  const named = globals(command).data !== undefined;
  return named ? `npx strategos --data ${typed(shownPath(root))}` : 'npx strategos';
}

/** A path as a shell takes it: quoted where the shell would see more in it than a path. */
export function typed(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function shownPath(root: string): string {
  const path = relative(process.cwd(), root);
  return path === '' ? '.' : path.startsWith('..') ? root : path;
}

function portDefault(): string {
  return readEnv()['STRATEGOS_PORT'] || String(GATEWAY_PORT_DEFAULT);
}

function parsePort(text: string, replicas: Replicas): number {
  const port = Number(text);
  if (!Number.isSafeInteger(port))
    throw usageError(`the port (--port, STRATEGOS_PORT) must be a number, not "${text}"`);
  try {
    derivePorts(port, replicas);
    return port;
  } catch (thrown) {
    throw usageError(`--port, STRATEGOS_PORT: ${messageOf(thrown)}`, thrown);
  }
}

function parseReplicas(texts: readonly string[]): Replicas {
  const replicas = { command: 1, evaluator: 1 };
  for (const text of texts.flatMap((each) => each.split(','))) {
    const [, service, digits] = /^(command|evaluator)=(\d+)$/.exec(text) ?? [];
    const count = Number(digits);
    if ((service !== 'command' && service !== 'evaluator') || count < 1 || count > REPLICAS_MAX) {
      throw usageError(`--replicas must be command=N or evaluator=N with N from 1 to ${REPLICAS_MAX}, not "${text}"`);
    }
    replicas[service] = count;
  }
  return replicas;
}
