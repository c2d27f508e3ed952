import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { LogFile } from './log-file.ts';
import { type EndStep, endProcess, sendSignal, writeRecord } from './process-record.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface OwnedProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: LogFile;
  /** Where it is noted while it runs, so that a later run finds it. */
  readonly recordFile: string;
  /** User to run as; absent: the user of this process. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  /** Given: the process gets a channel to its parent, and its messages come here. */
  readonly onMessage?: (message: unknown) => void;
}

/**
 * A child process in a session of its own, so that a terminal's Ctrl-C reaches the parent alone, which then stops
 * everything in order. Its output goes straight to its log.
 */
export class OwnedProcess {
  readonly pid: number;
  /** Resolves when the process has ended, wanted or not. */
  readonly exited: Promise<Exit>;
  readonly log: LogFile;
  readonly #child: ChildProcess;
  readonly #recordFile: string;

  private constructor(child: ChildProcess, pid: number, exited: Promise<Exit>, log: LogFile, recordFile: string) {
    this.#child = child;
    this.pid = pid;
    this.exited = exited;
    this.log = log;
    this.#recordFile = recordFile;
  }

  /** @throws Error when the program cannot be executed or the process cannot be noted; nothing runs then. */
  static async spawn(options: OwnedProcessOptions): Promise<OwnedProcess> {
    const { program, args, env, log, recordFile, account, onMessage } = options;
    const { child, spawned, exited } = await log.append((fd) => {
      const stdio: SpawnOptions['stdio'] = onMessage === undefined ? ['ignore', fd, fd] : ['ignore', fd, fd, 'ipc'];
      const started = spawn(program, [...args], { ...account, cwd: '/', env, detached: true, stdio });
      if (onMessage !== undefined) started.on('message', onMessage);
      return {
        child: started,
        spawned: new Promise<void>((resolve, reject) => {
          started.once('spawn', () => resolve());
          started.once('error', reject);
        }),
        exited: new Promise<Exit>((resolve) => started.once('exit', (code, signal) => resolve({ code, signal }))),
      };
    });
    await spawned;
    const pid = child.pid ?? 0;
    try {
      await writeRecord(recordFile, pid);
    } catch (thrown) {
      // Nobody would find it again.
      child.kill('SIGKILL');
      await exited;
      throw thrown;
    }
    return new OwnedProcess(child, pid, exited, log, recordFile);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal; false when the process has ended already. */
  signal(signal: NodeJS.Signals): boolean {
    return this.running && sendSignal(this.pid, signal);
  }

  /** Ends it step by step and forgets it. */
  async end(steps: readonly EndStep[]): Promise<void> {
    if (this.running) {
      await endProcess(this.pid, steps);
      await this.exited;
    }
    this.log.close();
    await rm(this.#recordFile, { force: true });
  }
}
