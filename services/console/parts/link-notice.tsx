import { useLinkState } from '../stream/link-state.ts';
import { spanText, useNow } from './time.ts';

/** Says that the connection is lost while it is, and that nothing was missed when it is back. */
export function LinkNotice() {
  const state = useLinkState();
  return (
    <div role="status" aria-live="polite" className={`link-notice ${state.kind}`}>
      {state.kind === 'lost' && (
        <p>
          Connection to the gateway lost <Since ms={state.sinceMs} />; what is shown may be old. Trying again …
        </p>
      )}
      {state.kind === 'resumed' && (
        <p>Reconnected after {spanText(state.awayMs)}; resumed where it stopped, nothing was missed.</p>
      )}
    </div>
  );
}

function Since({ ms }: { readonly ms: number }) {
  const seconds = Math.max(0, Math.floor((useNow() - ms) / 1_000));
  // Read out once, not every second.
  return <span aria-hidden="true">{seconds} s ago</span>;
}
