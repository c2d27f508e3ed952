import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import type { Logger } from './logger.ts';

const LOOK_MS = 1_000;
/** None left for this process; none left on this machine. */
const NONE_LEFT: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE']);
const NEXT =
  'see who holds its connections (lsof -p), and raise its limit of open files (LimitNOFILE of systemd, ulimit -n, fs.file-max)';

/**
 * Says once when this process cannot open anything more, and when it can again. Nobody else would: a connection for which
 * there is no descriptor is reset below Node, without a word to the server that it was meant for.
 */
export function watchDescriptors(logger: Logger): void {
  let exhausted = false;
  const look = async (): Promise<void> => {
    const reason = await refusal();
    if (NONE_LEFT.has(reason) === exhausted) return;
    exhausted = !exhausted;
    if (exhausted) logger.error({ reason, next: NEXT }, 'no file descriptors left, new connections are reset');
    else logger.warn('file descriptors are to be had again');
  };
  const later = (): void => {
    const timer = setTimeout(() => {
      look().then(later, later);
    }, LOOK_MS);
    timer.unref();
  };
  later();
}

/** The code of the error with which nothing can be opened; undefined when something can. */
async function refusal(): Promise<unknown> {
  try {
    await (await open(devNull)).close();
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  }
}
