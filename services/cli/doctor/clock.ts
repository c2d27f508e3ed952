import { formatMs } from '../terminal/duration.ts';
import { type Finding, ill, well } from './finding.ts';

/** An agent's clock may differ by so much before it is mentioned, and before it is a fault. */
const OFFSET_MS_WARNING = 2_000;
const OFFSET_MS_FAULT = 30_000;

/** Judges an agent's clock by how far it is before the platform's, in milliseconds. */
export function clockFinding(step: string, offsetMs: number, tookMs: number): Finding {
  const sizeMs = Math.abs(offsetMs);
  const found = `the agent's clock is ${formatMs(sizeMs)} ${offsetMs < 0 ? 'behind' : 'ahead of'} the platform's`;
  if (sizeMs <= OFFSET_MS_WARNING) return well(step, found, tookMs);
  const words = {
    found,
    meaning:
      'deadlines hold all the same, because they travel as time that is left; times in the logs of that machine and at its venue do not fit those of the platform',
    next: 'keep the clock of that machine by NTP (chronyc tracking, timedatectl, w32tm /resync)',
  };
  return ill(step, sizeMs > OFFSET_MS_FAULT ? 'fault' : 'warning', words, tookMs);
}
