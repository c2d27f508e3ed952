const SECOND_MS = 1_000;
const UNITS = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3_600 },
  { name: 'm', seconds: 60 },
  { name: 's', seconds: 1 },
] as const;
/** Below this, tenths of a second tell something. */
const TENTHS_BELOW_MS = 10 * SECOND_MS;

/** A span for people, in its two largest units: "3m58s", "2h5m", "1.2s". Never negative. */
export function spanText(ms: number): string {
  const clamped = Math.max(0, ms);
  if (clamped < TENTHS_BELOW_MS) return `${Number((clamped / SECOND_MS).toFixed(1))}s`;
  let seconds = Math.round(clamped / SECOND_MS);
  const parts: string[] = [];
  for (const unit of UNITS) {
    const count = Math.floor(seconds / unit.seconds);
    seconds -= count * unit.seconds;
    if (count > 0) parts.push(`${count}${unit.name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join('');
}

/** A moment for people in UTC: "09:14:02", with the date in front when it is not today's. */
export function clockTime(ms: number, nowMs: number): string {
  const iso = new Date(ms).toISOString();
  const time = iso.slice(11, 19);
  const sameDay = iso.slice(0, 10) === new Date(nowMs).toISOString().slice(0, 10);
  return sameDay ? time : `${iso.slice(0, 10)} ${time}`;
}
