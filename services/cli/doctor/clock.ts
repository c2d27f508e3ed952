import { formatMs } from '../terminal/duration.ts';
import { type Finding, ill, well } from './finding.ts';

/** An agent's clock may differ by so much before it is mentioned, and before it is a fault. */
const OFFSET_MS_WARNING = 2_000;
const OFFSET_MS_FAULT = 30_000;
const BY_NTP = 'keep the clock of that machine by NTP (chronyc tracking, timedatectl, w32tm /resync)';
const LOOK_FIRST =
  'look at that clock: if it is right, the network or a platform that stood still held the agent up, and its next connection measures anew';

/** How the offset was measured: by a message's way alone, whose time is part of it, or by a question and its answer. */
type Measured = 'one way' | 'there and back';

/**
 * Judges an agent's clock by how far it is before the platform's, in milliseconds. One way, a clock that looks far behind may
 * be right, and its message late.
 */
export function clockFinding(step: string, offsetMs: number, tookMs: number, measured: Measured): Finding {
  const sizeMs = Math.abs(offsetMs);
  const found = `the agent's clock is ${formatMs(sizeMs)} ${offsetMs < 0 ? 'behind' : 'ahead of'} the platform's`;
  if (sizeMs <= OFFSET_MS_WARNING) return well(step, found, tookMs);
  const mayBeRight = offsetMs < 0 && measured === 'one way';
  const words = {
    found: mayBeRight ? `${found}, or what it said of itself was that long on its way` : found,
    meaning:
      'deadlines hold all the same, because they travel as time that is left; times in the logs of that machine and at its venue do not fit those of the platform',
    next: mayBeRight ? `${LOOK_FIRST}; ${BY_NTP}` : BY_NTP,
  };
  return ill(step, sizeMs > OFFSET_MS_FAULT ? 'fault' : 'warning', words, tookMs);
}
