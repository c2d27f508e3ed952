import type { Draft } from './draft.ts';
import { isHeld } from './draft.ts';
import { CLOCKS_APART_MS_MAX, hasEnded } from './records.ts';
import { wantClose } from './closing.ts';
import { settleStart } from './starting.ts';
import { isFinal } from './session-state.ts';

/** A question that has not been answered, or a close that failed, is tried again after so long. */
const AGAIN_MS = 10_000;
/** A status that comes later than this says too little about the moment of asking. */
const STATUS_MS_MAX = 20_000;

export interface UpkeepLimits {
  /** An outcome that nobody has known for so long is asked for. */
  readonly askUnknownAfterMs: number;
}

/** Everything in a session that time alone brings about. Returns when there is more to do; Infinity for never. */
export function upkeep(draft: Draft, { askUnknownAfterMs }: UpkeepLimits): number {
  settleStart(draft);
  return Math.min(startDue(draft), flatten(draft), askUnknown(draft, askUnknownAfterMs), closeAgain(draft));
}

function startDue(draft: Draft): number {
  const pending = draft.activations.filter(({ state }) => state === 'PENDING');
  return Math.min(...pending.map((activation) => activation.startDeadlineTimeMs), Infinity);
}

/** Blind for longer than the session's policy allows: what is open is closed. */
function flatten(draft: Draft): number {
  const { disconnectPolicy, disconnectAfterMs, state } = draft.session;
  if (disconnectPolicy !== 'FLATTEN' || isFinal(state)) return Infinity;
  let due = Infinity;
  for (const { instanceId, blindTimeMs } of draft.activations) {
    // One that has a reason to be closed was flattened before, and refused: closeAgain has the pause between two tries.
    const position = draft.positions.find(
      (each) => each.instanceId === instanceId && each.state === 'OPEN' && each.exitReason === '',
    );
    if (blindTimeMs === null || position === undefined) continue;
    // Of before the clock was set back: how long it lasts is counted anew.
    const sinceMs = blindTimeMs > draft.nowMs + CLOCKS_APART_MS_MAX ? draft.nowMs : blindTimeMs;
    draft.setActivation(instanceId, { blindTimeMs: sinceMs });
    const flattenMs = sinceMs + disconnectAfterMs;
    if (flattenMs > draft.nowMs) due = Math.min(due, flattenMs);
    else wantClose(draft, position.id, `flatten:${position.id}:${draft.nowMs}`, 'disconnect');
  }
  return due;
}

function askUnknown(draft: Draft, afterMs: number): number {
  let due = Infinity;
  for (const { id, unknownTimeMs, ...position } of draft.positions) {
    if (unknownTimeMs === null || !isHeld(position)) continue;
    const askMs = unknownTimeMs + afterMs;
    if (askMs > draft.nowMs && unknownTimeMs <= draft.nowMs + CLOCKS_APART_MS_MAX) due = Math.min(due, askMs);
    else {
      const asked = draft.commands.some(
        (command) => command.purpose === 'STATUS' && command.subjectId === id && !hasEnded(command),
      );
      const attempt = Math.floor((draft.nowMs - askMs) / AGAIN_MS);
      if (!asked) {
        draft.want({
          requestId: `status:${id}:${unknownTimeMs}:${attempt}`,
          purpose: 'STATUS',
          subjectId: id,
          wish: { type: 'GET_STATUS', notAfterMs: draft.nowMs + STATUS_MS_MAX },
        });
      }
      due = Math.min(due, draft.nowMs + AGAIN_MS);
    }
  }
  return due;
}

/** A position that no strategy exits any more, whose close has failed: it keeps the reason, and is closed again. */
function closeAgain(draft: Draft): number {
  let due = Infinity;
  for (const { id, state, exitReason, updateTimeMs } of draft.positions) {
    if (state !== 'OPEN' || exitReason === '') continue;
    const againMs = updateTimeMs + AGAIN_MS;
    // One that would have to wait longer was written before the clock was set back.
    if (againMs <= draft.nowMs || againMs > draft.nowMs + AGAIN_MS + CLOCKS_APART_MS_MAX)
      wantClose(draft, id, `again:${id}:${draft.nowMs}`, exitReason);
    else due = Math.min(due, againMs);
  }
  return due;
}
