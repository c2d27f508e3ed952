import { readFile } from 'node:fs/promises';
import type { TestStack } from '../harness/stack.ts';

/** Words that no log of a service may hold, whatever came over the network. */
const DEFECTS = ['unhandled', 'internal error', 'uncaught', '"level":"fatal"'] as const;

interface Watched {
  readonly name: string;
  readonly pid: () => number;
  readonly logFile: string;
  readonly firstPid: number;
  readonly firstMib: number;
}

/** The service processes of a stack as they were at the beginning. */
export class ServiceWatch {
  readonly #watched: readonly Watched[];

  private constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  static async of(stack: TestStack): Promise<ServiceWatch> {
    const handles = [...stack.replicas, ...(stack.gateway === undefined ? [] : [stack.gateway])];
    const watched = await Promise.all(
      handles.map(async (handle) => {
        const { pid } = handle.current;
        const logFile = stack.data.log(handle.name);
        return {
          name: handle.name,
          pid: () => handle.current.pid,
          logFile,
          firstPid: pid,
          firstMib: await residentMib(pid),
        };
      }),
    );
    return new ServiceWatch(watched);
  }

  /** What is amiss: a process that died, one that has grown beyond measure, a defect in a log. */
  async complaints(growthMibMax: number): Promise<string[]> {
    const found = await Promise.all(
      this.#watched.map(async ({ name, pid, logFile, firstPid, firstMib }) => {
        const complaints: string[] = [];
        const mib = await residentMib(firstPid);
        if (pid() !== firstPid || mib === 0) complaints.push(`${name} is no longer process ${firstPid}`);
        if (mib - firstMib > growthMibMax) complaints.push(`${name} has grown from ${firstMib} to ${mib} MiB`);
        const log = await readFile(logFile, 'utf8');
        const lines = log.split('\n').filter((line) => DEFECTS.some((defect) => line.toLowerCase().includes(defect)));
        return [...complaints, ...lines.slice(0, 3).map((line) => `${name} logged ${line.slice(0, 400)}`)];
      }),
    );
    return found.flat();
  }
}

/** Memory that the process has now; 0 when there is no such process. Only where the system tells: elsewhere it is 1. */
async function residentMib(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 1;
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(kib ?? 0) / 1_024);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 0;
    throw thrown;
  }
}
