import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { readEnv } from '../../services/platform/environment.ts';
import { cliProgram } from './programs.ts';
import type { TestStack } from './stack.ts';

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `strategos ARGS…` as a process of its own against a stack's gateway. */
export async function runCli(stack: TestStack, args: readonly string[], token?: string): Promise<CliRun> {
  const { PATH, HOME } = readEnv();
  const program = cliProgram();
  const child = spawn(process.execPath, [program.entry, ...args], {
    env: {
      ...program.env,
      PATH,
      HOME,
      STRATEGOS_URL: stack.gatewayUrl,
      STRATEGOS_TOKEN: token ?? (await stack.token()),
      NO_COLOR: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** As `runCli`, with `--json`, and the one document that it prints. @throws Error with the program's own words when it failed */
export async function runCliDocument(stack: TestStack, args: readonly string[]): Promise<unknown> {
  return JSON.parse(await jsonOf(stack, args));
}

/** As `runCliDocument`, for lists and watches: one document a line. */
export async function runCliLines(stack: TestStack, args: readonly string[]): Promise<unknown[]> {
  const lines = (await jsonOf(stack, args)).split('\n').filter((line) => line !== '');
  return lines.map((line): unknown => JSON.parse(line));
}

async function jsonOf(stack: TestStack, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(stack, [...args, '--json']);
  if (code !== 0) throw new Error(`strategos ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}
