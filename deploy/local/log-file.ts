import { copyFile, mkdir, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../services/platform/errors.ts';
import { hasCode } from './process-record.ts';

/** Earlier runs whose log is kept beside the current one, as `.1`, `.2`, … */
const RUNS_KEPT = 3;
/** A log that has grown beyond this is moved to `.1` and begins again. */
const LOG_BYTES_MAX = 32 * 1024 * 1024;
const SIZE_CHECK_INTERVAL_MS = 5_000;
const STACK_FRAME = /^\s+at /;
/** How much of the end is read for an error message. */
const TAIL_BYTES_MAX = 64 * 1024;

/**
 * The log of one process. The process writes to the file itself, so its last words are there even when nobody is left to
 * read them; this object rotates the file at the start and keeps it bounded while it lives.
 */
export class LogFile {
  readonly path: string;
  readonly #bytesMax: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(path: string, bytesMax: number) {
    this.path = path;
    this.#bytesMax = bytesMax;
  }

  /** Moves the log of the last run aside and begins a new one. */
  static async begin(path: string, bytesMax: number = LOG_BYTES_MAX): Promise<LogFile> {
    await mkdir(dirname(path), { recursive: true });
    for (let age = RUNS_KEPT; age > 0; age--) {
      await renameIfThere(age === 1 ? path : `${path}.${age - 1}`, `${path}.${age}`);
    }
    const log = new LogFile(path, bytesMax);
    log.#timer = setInterval(() => {
      log.trim().catch((thrown: unknown) => console.error(`cannot bound ${path}: ${messageOf(thrown)}`));
    }, SIZE_CHECK_INTERVAL_MS);
    log.#timer.unref();
    return log;
  }

  /** Hands a descriptor that appends to `use`, for a process that inherits it. */
  async append<T>(use: (fd: number) => T): Promise<T> {
    const file = await open(this.path, 'a', 0o640);
    try {
      return use(file.fd);
    } finally {
      await file.close();
    }
  }

  /** Moves the content aside when it is too large. Writers append, so they carry on at the start of the file. */
  async trim(): Promise<void> {
    const size = await sizeIfThere(this.path);
    if (size <= this.#bytesMax) return;
    await copyFile(this.path, `${this.path}.1`);
    await truncate(this.path, 0);
  }

  /** The last lines, oldest first. */
  async tail(lines: number): Promise<readonly string[]> {
    const content = await readFile(this.path);
    const text = content.subarray(Math.max(0, content.length - TAIL_BYTES_MAX)).toString('utf8');
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-lines);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Lines of a service's log as sentences: of JSON the message, and the error where one was logged; of anything else what is
 * no stack frame.
 */
export function readable(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !STACK_FRAME.test(line)).map(readableLine);
}

function readableLine(line: string): string {
  if (!line.startsWith('{')) return line;
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return line;
    throw thrown;
  }
  if (typeof entry !== 'object' || entry === null || !('msg' in entry)) return line;
  const { level, msg, err, time: _time, service: _service, ...facts } = entry as Readonly<Record<string, unknown>>;
  const cause = typeof err === 'object' && err !== null && 'message' in err ? `: ${String(err.message)}` : '';
  const shown = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${String(level)}: ${String(msg)}${cause}${shown.join('')}`;
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rm(to, { force: true });
    await rename(from, to);
  } catch (thrown) {
    if (!hasCode(thrown, 'ENOENT')) throw thrown;
  }
}

async function sizeIfThere(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return 0;
    throw thrown;
  }
}
