import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What lies here mostly waits: for a fault to be noticed, a deadline to pass, a stream to speak. */
const WAITING = /\/test\/(?:fault|integration)\//;
/** Of a file that has never run here. */
const DURATION_MS_DEFAULT = 10_000;

export interface Turn {
  /** It keeps a core busy for as long as it runs. */
  readonly busy: boolean;
  /** As long as it took last time. */
  readonly durationMs: number;
  readonly failed: boolean;
}

/**
 * An order for workers that each take the next item when they are free: while there are both kinds, half of the workers
 * have a busy one and half a waiting one, so that neither the cores idle nor too many want them. Of each kind, what failed
 * last time comes first, and then the longest.
 */
export function inTurns<T extends Turn>(items: readonly T[], workers: number): T[] {
  const urgent = items.toSorted((a, b) => Number(b.failed) - Number(a.failed) || b.durationMs - a.durationMs);
  const busy = urgent.filter((item) => item.busy);
  const waiting = urgent.filter((item) => !item.busy);
  const slots = Array.from({ length: workers }, () => ({ busy: false, freeAtMs: 0 }));
  return urgent.flatMap(() => {
    const slot = slots.reduce((first, each) => (each.freeAtMs < first.freeAtMs ? each : first));
    const busyBeside = slots.filter((each) => each !== slot && each.busy).length;
    const [preferred, other] = busyBeside < workers / 2 ? [busy, waiting] : [waiting, busy];
    const item = preferred.shift() ?? other.shift();
    if (item === undefined) return [];
    slot.busy = item.busy;
    slot.freeAtMs += item.durationMs;
    return [item];
  });
}

/** Puts the files of all projects in turns, by how long they took last time. */
export class FileOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const turns = files.map((file) => {
      const { duration = DURATION_MS_DEFAULT, failed = false } = this.ctx.cache.getTestSpecificationResult(file) ?? {};
      return { file, busy: !WAITING.test(file.moduleId), durationMs: duration, failed };
    });
    const workers = files[0]?.project.config.maxWorkers ?? 1;
    return Promise.resolve(inTurns(turns, workers).map(({ file }) => file));
  }
}
