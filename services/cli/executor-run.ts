import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { serviceEntry } from '../../deploy/local/service-environment.ts';
import { readEnv } from '../platform/config.ts';
import { messageOf } from '../platform/errors.ts';
import type { Cli } from './cli.ts';
import { CliError, EXIT, usageError } from './errors.ts';

interface RunOptions {
  readonly credentials: string;
  readonly journal?: string;
  readonly config?: string;
}

/** `executor run`: the agent as a process of its own, with this terminal. */
export function registerRun(parent: Command, _cli: Cli): void {
  parent
    .command('run')
    .description('run a paper executor on this machine until Ctrl-C')
    .requiredOption('--credentials <file>', 'as written by executor create --out')
    .option('--journal <dir>', 'where it keeps what it must not forget (beside the credentials without it)')
    .option('--config <file>', 'local limits and paper account')
    .action(async (options: RunOptions) => {
      const credentials = await requireFile(options.credentials);
      const env = {
        ...readEnv(),
        STRATEGOS_CREDENTIALS: credentials,
        STRATEGOS_JOURNAL: resolve(options.journal ?? `${credentials.replace(/(\.credentials)?\.json$/, '')}.journal`),
        ...(options.config === undefined ? {} : { STRATEGOS_EXECUTOR_CONFIG: await requireFile(options.config) }),
      };
      const exit = await runInForeground(env);
      if (exit !== 0) throw new CliError(EXIT.failed, `the executor ended with ${exit}; its last lines say why`);
    });
}

/** The exit code, or the signal's name. The agent stops cleanly on what this process is told. */
function runInForeground(env: NodeJS.ProcessEnv): Promise<number | string> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', serviceEntry('executor')], {
      env,
      // The channel ends the agent when this process is killed.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', (code, signal) => done(signal === null ? (code ?? 0) : stoppedBy(signal)));
  });
}

function stoppedBy(signal: NodeJS.Signals): number | string {
  return signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : `${signal} (${128 + constants.signals[signal]})`;
}

async function requireFile(path: string): Promise<string> {
  try {
    await access(path);
    return resolve(path);
  } catch (thrown) {
    throw usageError(`${path} cannot be read: ${messageOf(thrown)}`, thrown);
  }
}
