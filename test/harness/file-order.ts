import { stat } from 'node:fs/promises';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What lies here mostly waits: for a fault to be noticed, a deadline to pass, a stream to speak. */
const WAITING = /\/test\/(?:fault|integration)\//;
/** Of a file that has never run here: real processes take the longer the more is asked of them. */
const MS_PER_BYTE = { unit: 0.1, other: 4 } as const;

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
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const turns = await Promise.all(files.map((file) => this.#turn(file)));
    const workers = files[0]?.project.config.maxWorkers ?? 1;
    return inTurns(turns, workers).map(({ file }) => file);
  }

  async #turn(file: TestSpecification): Promise<Turn & { readonly file: TestSpecification }> {
    const last = this.ctx.cache.getTestSpecificationResult(file);
    const perByte = file.project.name === 'unit' ? MS_PER_BYTE.unit : MS_PER_BYTE.other;
    const durationMs = last?.duration ?? (await stat(file.moduleId)).size * perByte;
    return { file, busy: !WAITING.test(file.moduleId), durationMs, failed: last?.failed ?? false };
  }
}
