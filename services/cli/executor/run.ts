import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { readable } from '../../../deploy/local/log-file.ts';
import { hasCode } from '../../../deploy/local/process-record.ts';
import { serviceEntry } from '../../../deploy/local/service-environment.ts';
import { readEnv } from '../../platform/environment.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';

interface RunOptions {
  readonly credentials: string;
  readonly journal?: string;
  readonly config?: string;
}

/** `executor run`: the agent as a process of its own, with this terminal. */
export function registerRun(parent: Command, cli: Cli): void {
  parent
    .command('run')
    .description('run a paper executor on this machine until Ctrl-C')
    .requiredOption('--credentials <file>', 'as written by executor create --out')
    .option('--journal <dir>', 'where it keeps what it must not forget (beside the credentials without it)')
    .option('--config <file>', 'local limits and paper account')
    .action(async (options: RunOptions, command: Command) => {
      cli.outlivesReader = true;
      const credentials = await requireFile(options.credentials);
      const env = {
        ...readEnv(),
        STRATEGOS_CREDENTIALS: credentials,
        STRATEGOS_JOURNAL: resolve(options.journal ?? `${credentials.replace(/(\.credentials)?\.json$/, '')}.journal`),
        ...(options.config === undefined ? {} : { STRATEGOS_EXECUTOR_CONFIG: await requireFile(options.config) }),
      };
      const exit = await runInForeground(env, cli.output(command));
      if (exit !== 0) throw new CliError(EXIT.failed, `the executor ended with ${exit}; its last lines say why`);
    });
}

/** The exit code, or the signal's name. The agent stops cleanly on what this process is told. */
function runInForeground(env: NodeJS.ProcessEnv, out: Output): Promise<number | string> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', serviceEntry('executor')], {
      env,
      // Its own session, so that Ctrl-C reaches it once, from here; the channel ends it when this process is killed.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('close', (code, signal) => done(signal === null ? (code ?? 0) : stoppedBy(signal)));
    if (child.stdout === null) return;
    // Its log: JSON lines for programs, sentences for people.
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (out.json) process.stdout.write(`${line}\n`);
      else for (const sentence of readable([line])) out.say(sentence);
    });
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
    const why = hasCode(thrown, 'ENOENT') ? 'there is no such file' : messageOf(thrown);
    throw usageError(`${path} cannot be read: ${why}`, thrown);
  }
}
