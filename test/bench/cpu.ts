import { readdirSync, readFileSync } from 'node:fs';

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
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ESRCH'))
      return undefined;
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
