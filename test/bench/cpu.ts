import { readdirSync, readFileSync } from 'node:fs';
import { hasCode } from '../../deploy/local/process-record.ts';

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

/**
 * Processor time that processes and their ended children have used, in milliseconds: unlike wall time, hardly moved by what
 * else a machine does. What a backend used that has ended stands with its postmaster.
 */
export function cpuMs(pids: Iterable<number>): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = statOf(pid);
    if (stat === undefined) continue;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  }
  return ticks * TICK_MS;
}

/** A process and everything below it. */
export function withDescendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(Number(entry));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function parentOf(pid: number): number | undefined {
  const stat = statOf(pid);
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Undefined for a process that has ended, as a backend does whose pool was closed. */
function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT', 'ESRCH')) return undefined;
    throw thrown;
  }
}

/** Starts counting; the returned function gives what each group has used since, put through `scale`. Groups may grow. */
export function cpuMeter(
  groups: Readonly<Record<string, () => readonly number[]>>,
): (scale: (ms: number) => number) => Record<string, number> {
  const before = Object.entries(groups).map(([name, pids]) => ({ name, pids, ms: cpuMs(pids()) }));
  return (scale) =>
    Object.fromEntries(before.map(({ name, pids, ms }) => [name, Math.round(scale(cpuMs(pids()) - ms))]));
}

/** Fields of the line that sums all processors in /proc/stat. */
const STOLEN = 7;
const STATES = 8;

/**
 * Starts counting what the host of a virtual machine gives to others while it has work to do; the returned function gives its
 * share of the processor time since. Undefined where there is no such count.
 */
export function stolenMeter(): () => number | undefined {
  const before = processorTicks();
  return () => {
    const after = processorTicks();
    if (before === undefined || after === undefined) return undefined;
    const spent = after.map((ticks, i) => ticks - (before[i] ?? 0));
    return (spent[STOLEN] ?? 0) / spent.reduce((sum, ticks) => sum + ticks, 0);
  };
}

function processorTicks(): number[] | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    return line
      .trim()
      .split(/\s+/)
      .slice(1, 1 + STATES)
      .map(Number);
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}
