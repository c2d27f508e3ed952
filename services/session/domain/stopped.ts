import { closeEach, partText, sectionOf, wantClose } from './closing.ts';
import { type Draft, isHeld } from './draft.ts';
import type { Observed } from './observed.ts';
import { closed, isLess, isPartOf, notOpened, opened, type OwnedFill, partlyClosed } from './positions.ts';
import type { CommandRecord, PositionRecord } from './records.ts';
import { isOf, sharesOf } from './shares.ts';
import { finishStop, stopAgain } from './stopping.ts';

export function strategyStopped(draft: Draft, command: CommandRecord, observed: Observed): void {
  const activation = draft.activation(command.subjectId);
  if (activation === undefined) return;
  const { state } = draft.session;
  if (command.wish.type === 'STOP_STRATEGY' && command.wish.closePositions) {
    if (observed.state === 'SUCCEEDED') {
      const parts = closeHeld(draft, observed, { reason: 'deactivated', instanceId: activation.instanceId });
      for (const { id } of parts) wantClose(draft, id, `rest:${id}:${draft.nowMs}`, 'deactivated');
    } else if ((state === 'ACTIVE' || state === 'PAUSED') && observed.reason !== 'EXECUTOR_DISABLED') {
      // No strategy exits them any more.
      closeEach(draft, 'deactivated', activation.instanceId);
    }
  }
  if (activation.state !== 'DEACTIVATING') return;
  const missing = observed.state === 'SUCCEEDED' ? [] : [`executor: ${observed.message}`];
  draft.setActivation(activation.instanceId, { state: 'INACTIVE', missing });
}

export function closesPositions({ wish }: CommandRecord): boolean {
  return (wish.type === 'STOP_SESSION' || wish.type === 'STOP_ALL') && wish.closePositions;
}

export function sessionStopped(draft: Draft, observed: Observed, closes: boolean): void {
  const { state, executorName } = draft.session;
  if (observed.state === 'SUCCEEDED') stoppedThere(draft, observed, closes, 'stop_session');
  else if (observed.reason === 'TARGET_UNKNOWN') nothingToStop(draft, closes);
  else if (observed.reason === 'EXECUTOR_DISABLED') {
    if (state !== 'STOPPING') return;
    draft.setSession({
      reason: `executor ${executorName} is disabled and nobody has confirmed the stop; look at its venue for open positions`,
    });
    finishStop(draft);
  } else stopAgain(draft, observed.message === '' ? observed.state : observed.message);
}

/**
 * The kill switch's command has stopped everything on the session's executor; `closes` when it was to close positions. Replicas
 * look at the same answer side by side, again after a failure, and after that of a later one: the session notes whose it has booked.
 */
export function executorHalted(draft: Draft, observed: Observed, closes: boolean): void {
  const { state, bookedCommandIds } = draft.session;
  const { commandId } = observed;
  if (bookedCommandIds.includes(commandId)) return;
  if (state === 'STOPPING') stoppedThere(draft, observed, closes, 'stop_all');
  else if (closes) closedAfterEnd(draft, observed);
  if (!closes) return;
  draft.setSession({ bookedCommandIds: [...bookedCommandIds, commandId] });
  // By this alone does a replica of the release before know that it is booked.
  for (const { id } of draft.positions.filter((each) => isHeld(each) && each.closedQuantity !== '')) {
    draft.setPosition(id, { closeCommandId: commandId });
  }
}

/** What the session has kept, and what was found gone before: of the rest of a position nobody else takes care. */
function closedAfterEnd(draft: Draft, observed: Observed): void {
  const parts = closeHeld(draft, observed, { reason: 'stop_all', filledOnly: true });
  for (const { id } of parts) wantClose(draft, id, `rest:${id}:${draft.nowMs}`, 'stop_all');
}

/**
 * One of several stops may keep the positions that another one is to close: it closes none here, and ends the session only
 * where none is to be closed. The other one has their fills.
 */
function stoppedThere(draft: Draft, observed: Observed, closes: boolean, reason: string): void {
  const [part] = closes ? closeHeld(draft, observed, { reason }) : [];
  if (part !== undefined) stopAgain(draft, part.message);
  else if (closes || !draft.session.closePositions) finishStop(draft);
}

/**
 * The executor knows no such session, and has closed nothing: an earlier stop may have ended it there and kept its positions.
 * Each that is to be closed is closed by itself, and the stop is asked for again until none is left.
 */
function nothingToStop(draft: Draft, closes: boolean): void {
  if (closes && closeEach(draft, 'stop_session') > 0) {
    stopAgain(draft, 'the executor does not know the session; its positions are closed one by one');
  } else if (closes || !draft.session.closePositions) finishStop(draft);
}

/** The same, where the stop was the kill switch's own. Returns whether nothing is left; its stop is repeated until then. */
export function haltedNowhere(draft: Draft, closes: boolean): boolean {
  if (closes && closeEach(draft, 'stop_session') > 0) return false;
  if (closes || !draft.session.closePositions) finishStop(draft);
  return true;
}

/** The executor cannot confirm the kill switch any more: what it held is not known, and its positions stay as they were. */
export function executorLost(draft: Draft, reason: string): void {
  if (draft.session.state !== 'STOPPING') return;
  draft.setSession({ reason });
  finishStop(draft);
}

interface Closed {
  readonly reason: string;
  /** Of one instance alone. */
  readonly instanceId?: string;
  /** Only what there is a fill of; else all that is held is gone. */
  readonly filledOnly?: boolean;
}

/**
 * The executor says that it closed everything of the session, or of one instance: each position takes its fill. An entry whose
 * own answer is still on its way was filled if there is a fill of it. Returns those that were closed in part, each with a sentence.
 */
function closeHeld(
  draft: Draft,
  observed: Observed,
  { reason, instanceId, filledOnly = false }: Closed,
): { readonly id: string; readonly message: string }[] {
  const { fills, commandId } = observed;
  const parts: { readonly id: string; readonly message: string }[] = [];
  const own = draft.positions.filter((position) => instanceId === undefined || position.instanceId === instanceId);
  const held = own.filter((position) => isHeld(position) || position.state === 'ENTERING');
  const shares = sharesOf(held, fills);
  for (const position of held) {
    const { id, symbol, quantity, entryPrice: price, state } = position;
    const fill = shares.get(id);
    if (fill === undefined && (state === 'ENTERING' || filledOnly)) continue;
    if (fill === undefined && state === 'UNKNOWN') {
      notOpened(draft, id, 'session_stopping', 'the executor has no such position');
      continue;
    }
    opened(draft, id, { symbol, quantity, price, fee: '', timeMs: null }, draft.position(id)?.openCommandId ?? '');
    if (isPartOf(fill, position)) {
      partlyClosed(draft, id, fill);
      parts.push({ id, message: partText(position, fill) });
    } else closed(draft, id, { fill, reason, section: 'SESSION', closeCommandId: commandId });
  }
  priceGone(
    draft,
    own,
    fills.filter((fill) => !held.some((position) => isOf(fill, position))),
    commandId,
  );
  return parts;
}

/**
 * An answer that comes late may be the one that has closed what was found gone before. Fills that say whose they are, and of
 * whose instance nothing is held any more, are that one's: of several, of the newest first.
 */
function priceGone(
  draft: Draft,
  positions: readonly PositionRecord[],
  fills: readonly OwnedFill[],
  closeCommandId: string,
): void {
  const gone = positions.filter(({ state, unpricedQuantity }) => state === 'CLOSED' && unpricedQuantity !== '');
  const sharing = gone.toReversed().map((each) => ({ ...each, quantity: each.unpricedQuantity }));
  const owned = fills.filter(({ sessionId, strategyId }) => sessionId !== '' && strategyId !== '');
  for (const [id, fill] of sharesOf(sharing, owned)) {
    const reason = gone.find((each) => each.id === id)?.exitReason ?? '';
    if (isLess('0', fill.quantity)) closed(draft, id, { fill, reason, section: sectionOf(reason), closeCommandId });
  }
}
