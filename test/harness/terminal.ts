import { spawn } from 'node:child_process';
import { sendSignal } from '../../deploy/local/process-record.ts';

/** A command line as a terminal runs it: in a session of its own, with both outputs in one text. */
export interface TerminalCommand {
  readonly pid: number;
  /** Everything that it has printed so far. */
  readonly output: string;
  /** The exit code, or the signal's name, when it has ended and nothing of it holds its output any more. */
  readonly ended: Promise<number | string>;
  /** Ctrl-C: every process of the foreground gets SIGINT. */
  interrupt(): void;
  /** Signals the shell's process alone. */
  signal(signal: NodeJS.Signals): void;
}

/** Starts a command line in bash. The environment is exactly `env`. */
export function runInTerminal(
  commandLine: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): TerminalCommand {
  const child = spawn('bash', ['-c', `exec 2>&1\n${commandLine}`], {
    ...options,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot run bash for: ${commandLine}`);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    pid,
    ended,
    get output() {
      return output;
    },
    interrupt: () => void sendSignal(-pid, 'SIGINT'),
    signal: (signal) => void sendSignal(pid, signal),
  };
}
