import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { JournaledReading } from '../domain/start-deadline.ts';

const reading = z.object({ wallMs: z.number(), uptimeMs: z.number() });

/** Remembers across restarts since when the platform is lost. */
export interface LossMemory {
  read(): JournaledReading | undefined;
  write(since: JournaledReading): void;
  clear(): void;
}

/** A small file beside the journal; without a directory nothing is remembered. */
export function lossFile(directory: string | undefined): LossMemory {
  if (directory === undefined) return { read: () => undefined, write: () => undefined, clear: () => undefined };
  const file = join(directory, 'platform-lost.json');
  return {
    read() {
      try {
        const parsed = reading.safeParse(JSON.parse(readFileSync(file, 'utf8')));
        return parsed.success ? parsed.data : undefined;
      } catch {
        // Not there, or cut off by a crash before it was whole: the loss is counted from now.
        return undefined;
      }
    },
    write({ wallMs, uptimeMs }) {
      const draft = `${file}.new`;
      const descriptor = openSync(draft, 'w', 0o600);
      writeSync(descriptor, JSON.stringify({ wallMs, uptimeMs }));
      fsyncSync(descriptor);
      closeSync(descriptor);
      renameSync(draft, file);
    },
    clear() {
      rmSync(file, { force: true });
    },
  };
}
