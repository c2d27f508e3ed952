import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { msOf, spanText, useNow, useToday, whenText } from './time.ts';

/** How long ago something was, with the exact time on demand. */
export function Ago({ time }: { readonly time: Timestamp | undefined }) {
  const now = useNow();
  const ms = msOf(time);
  if (ms === undefined) return <span className="quiet">never</span>;
  // The clocks of browser and platform differ a little: nothing is in the future.
  return (
    <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toISOString()}>
      {spanText(Math.max(0, Math.floor((now - ms) / 1_000) * 1_000))
        .replace('.0 s', ' s')
        .replace('0 ms', '0 s')}{' '}
      ago
    </time>
  );
}

/** A point in time, in the reader's zone. */
export function When({ time }: { readonly time: Timestamp | undefined }) {
  const today = useToday();
  const ms = msOf(time);
  if (ms === undefined) return <span className="quiet">–</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toISOString()}>
      {whenText(ms, today)}
    </time>
  );
}
