import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How often a process that is no child of ours is looked at while it ends. */
const EXIT_POLL_MS = 20;
const RECORD_SUFFIX = '.json';

/** One step in ending a process: a signal (undefined: only wait) and the time that it is given. */
export interface EndStep {
  readonly signal: NodeJS.Signals | undefined;
  readonly waitMs: number;
}

/** A process that some run of the platform started, as noted on disk so that a later run can find it. */
interface ProcessRecord {
  readonly pid: number;
  /** Tells this process from a later one that got the same pid. */
  readonly identity: string;
}

/**
 * What tells the living process `pid` from any other that had or will have its number: boot and start time.
 * Undefined when no such process lives; a zombie counts as gone.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return identityByPs(pid);
  const [stat, bootId] = await Promise.all([
    readIfThere(`/proc/${pid}/stat`),
    readIfThere('/proc/sys/kernel/random/boot_id'),
  ]);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything; what follows the last one is plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = fields[19];
  if (state === 'Z' || state === 'X') return undefined;
  return `${bootId?.trim() ?? ''}/${startTicks ?? ''}`;
}

/** Writes down that `pid` belongs to us. The file appears whole or not at all. */
export async function writeRecord(file: string, pid: number): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity === undefined) return;
  await mkdir(dirname(file), { recursive: true });
  const record: ProcessRecord = { pid, identity };
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(record)}\n`);
  await rename(temporary, file);
}

/** The pid that `file` notes, if that very process still lives. */
export async function livingPid(file: string): Promise<number | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  if (record === undefined) return undefined;
  return (await processIdentity(record.pid)) === record.identity ? record.pid : undefined;
}

/**
 * Ends the process that `file` notes, if that very process still lives, and removes the note.
 * @throws Error when it outlives every step.
 */
export async function endRecorded(file: string, steps: readonly EndStep[]): Promise<void> {
  const pid = await livingPid(file);
  if (pid !== undefined) await endProcess(pid, steps);
  await rm(file, { force: true });
}

/**
 * Ends every process noted in `directory` but this one, all at once, each by the steps for its name.
 * @throws Error when one outlives its steps.
 */
export async function endLeftovers(directory: string, stepsFor: (name: string) => readonly EndStep[]): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return;
    throw thrown;
  }
  await Promise.all(
    names
      .filter((name) => name.endsWith(RECORD_SUFFIX))
      .map(async (name) => {
        const file = join(directory, name);
        if ((await livingPid(file)) === process.pid) return;
        await endRecorded(file, stepsFor(name.slice(0, -RECORD_SUFFIX.length)));
      }),
  );
}

/** As `endRecorded`, for a pid whose identity the caller has made sure of. */
export async function endProcess(pid: number, steps: readonly EndStep[]): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity === undefined) return;
  // A paused process would keep the first signal for later.
  sendSignal(pid, 'SIGCONT');
  for (const { signal, waitMs } of steps) {
    if (signal !== undefined && !sendSignal(pid, signal)) return;
    if (await goneWithin(pid, identity, waitMs)) return;
  }
  throw new Error(`process ${pid} does not end; end it by hand (kill -9 ${pid}) and start again`);
}

/** False when the process was gone already. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'ESRCH')) return false;
    throw thrown;
  }
}

/** The command line of a living process; undefined when there is none or it may not be read. */
export async function commandLine(pid: number): Promise<readonly string[] | undefined> {
  if (process.platform === 'linux') {
    const text = await readIfThere(`/proc/${pid}/cmdline`);
    return text === undefined || text === '' ? undefined : text.split('\0').filter((part) => part !== '');
  }
  const listed = await ps(pid, 'args=');
  return listed?.split(/\s+/);
}

/** Whether something thrown is a system error with this code. */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && codes.includes(thrown.code);
}

/** The text of a file, or undefined when it does not exist or its process has just gone. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT', 'ESRCH', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}

async function goneWithin(pid: number, identity: string, waitMs: number): Promise<boolean> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    if ((await processIdentity(pid)) !== identity) return true;
    if (performance.now() >= endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, EXIT_POLL_MS));
  }
}

function parseRecord(text: string): ProcessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('identity' in value)) return undefined;
  const { pid, identity } = value;
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1 && typeof identity === 'string'
    ? { pid, identity }
    : undefined;
}

async function identityByPs(pid: number): Promise<string | undefined> {
  const listed = await ps(pid, 'stat=,lstart=');
  return listed === undefined || listed.startsWith('Z') ? undefined : listed.replace(/^\S+\s+/, '');
}

async function ps(pid: number, columns: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-p', String(pid), '-o', columns]);
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch (thrown) {
    // ps answers 1 when there is no such process.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 1) return undefined;
    throw thrown;
  }
}
