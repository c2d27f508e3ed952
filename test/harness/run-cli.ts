import { type ChildProcess, spawn } from 'node:child_process';
import { readEnv } from '../../services/platform/environment.ts';
import { cliProgram, CLI_SOURCE } from './programs.ts';
import { until } from './until.ts';

const RUN_MS_MAX = 60_000;

type Env = Readonly<Record<string, string>>;

/** How a run of the command line ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `strategos …` to its end, as a process of its own that sees only `env`. */
export async function runCli(args: readonly string[], env: Env = {}): Promise<CliResult> {
  await using cli = ForegroundCli.start(args, env);
  await cli.ended(RUN_MS_MAX);
  return { code: cli.code, stdout: cli.stdout, stderr: cli.stderr };
}

/** A `strategos …` that stays in the foreground, such as `up` or `command watch`. Killed when disposed of while it runs. */
export class ForegroundCli implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #what: string;

  private constructor(child: ChildProcess, what: string) {
    this.#child = child;
    this.#what = what;
    child.stdout?.on('data', (bytes: Buffer) => {
      this.stdout += bytes.toString('utf8');
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString('utf8');
    });
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
  }

  static start(args: readonly string[], env: Env = {}): ForegroundCli {
    const { PATH = '', HOME = '' } = readEnv();
    // The platform as operators start it is the one that shows how it runs from its sources.
    const program = args[0] === 'up' ? CLI_SOURCE : cliProgram();
    const child = spawn(process.execPath, [program.entry, ...args], {
      env: { ...program.env, PATH, HOME, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ForegroundCli(child, `strategos ${args.join(' ')}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The exit code; null while it runs and after a signal. */
  get code(): number | null {
    return this.#child.exitCode;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when the output so far matches. @throws Error with the output when it never does, or the program ends. */
  async prints(pattern: RegExp, timeoutMs = RUN_MS_MAX): Promise<void> {
    await until(() => pattern.test(this.stdout) || !this.running, `${this.#what} prints ${pattern}`, timeoutMs);
    if (!pattern.test(this.stdout)) throw new Error(`${this.#what} never printed ${pattern}:\n${this.#output()}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended and all its output is here. */
  async ended(timeoutMs = RUN_MS_MAX): Promise<void> {
    await until(() => !this.running, `${this.#what} ends`, timeoutMs).catch((thrown: unknown) => {
      throw new Error(`${this.#what} does not end:\n${this.#output()}`, { cause: thrown });
    });
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #output(): string {
    return `${this.stdout}\n${this.stderr}`;
  }
}
