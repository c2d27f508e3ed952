import type { Draft } from './draft.ts';
import { isHeld } from './draft.ts';
import {
  closed,
  type Fill,
  isPartOf,
  notClosed,
  notOpened,
  oneFill,
  opened,
  type OwnedFill,
  partlyClosed,
} from './positions.ts';
import {
  type CommandEnd,
  type CommandRecord,
  hasEnded,
  type OpenCommandState,
  type PositionRecord,
  type Section,
} from './records.ts';
import { sharesOf } from './shares.ts';
import { settleStart } from './starting.ts';
import { finishStop, stopAgain } from './stopping.ts';

/** A position as an executor's status lists it. */
export interface VenuePosition {
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly quantity: string;
  readonly entryPrice: string;
}

/** What is known of a command at one moment. */
export interface Observed {
  readonly requestId: string;
  readonly commandId: string;
  readonly state: OpenCommandState | CommandEnd;
  /** Reason and sentence of one that did not succeed. */
  readonly reason: string;
  readonly message: string;
  readonly finishTimeMs: number | null;
  readonly fills: readonly OwnedFill[];
  /** Of a close that found the position closed by something else: what that was. */
  readonly closedBy: string;
  /** Of a status; undefined where there is none. */
  readonly positions: readonly VenuePosition[] | undefined;
}

/**
 * Writes down how a command of the session stands, and what follows. The same observation again changes nothing, and an
 * older one neither: only an outcome that was unknown is settled later.
 */
export function applyObserved(draft: Draft, observed: Observed): void {
  const command = draft.command(observed.requestId);
  if (command === undefined || !isNews(command, observed)) return;
  draft.setCommand(command.requestId, {
    state: observed.state,
    commandId: observed.commandId,
    reason: observed.reason,
    message: observed.message,
    finishTimeMs: observed.finishTimeMs,
  });
  follow(draft, command, observed);
}

const PROGRESS: readonly string[] = ['WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING'];

function isNews(command: CommandRecord, observed: Observed): boolean {
  if (!hasEnded(observed)) {
    const forward = PROGRESS.indexOf(observed.state) > PROGRESS.indexOf(command.state);
    return !hasEnded(command) && (forward || command.commandId !== observed.commandId);
  }
  if (!hasEnded(command)) return true;
  // One that was dropped or refused here reached the executor after all; or nobody knew, and now somebody does.
  const open = command.state === 'OUTCOME_UNKNOWN' || command.state === 'DROPPED' || command.state === 'REFUSED';
  return open && command.state !== observed.state;
}

function follow(draft: Draft, command: CommandRecord, observed: Observed): void {
  switch (command.purpose) {
    case 'START_SESSION':
      settleStart(draft);
      return;
    case 'START_STRATEGY':
      draft.setActivation(command.subjectId, { commandId: observed.commandId });
      settleStart(draft);
      return;
    case 'OPEN':
      followOpen(draft, command, observed);
      return;
    case 'CLOSE':
      followClose(draft, command, observed);
      return;
    case 'STOP_STRATEGY':
      if (hasEnded(observed)) strategyStopped(draft, command, observed);
      return;
    case 'STOP_SESSION':
      if (hasEnded(observed)) sessionStopped(draft, observed, closesPositions(command));
      return;
    case 'HALT':
      if (observed.state === 'SUCCEEDED') executorHalted(draft, observed, closesPositions(command));
      return;
    case 'PAUSE':
    case 'RESUME':
      if (hasEnded(observed) && (draft.session.state === 'PAUSED' || draft.session.state === 'ACTIVE')) {
        draft.setSession({ reason: observed.state === 'SUCCEEDED' ? '' : unconfirmed(command, observed) });
      }
      return;
    case 'STATUS':
      if (hasEnded(observed)) settleByStatus(draft, command, observed.positions);
      return;
    case 'CANCEL':
      return;
    default:
      throw new Error(`a command for ${String(command.purpose satisfies never)} is not known`);
  }
}

function followOpen(draft: Draft, command: CommandRecord, observed: Observed): void {
  const { subjectId: id, wish } = command;
  if (observed.commandId !== '') linkSignal(draft, id, observed.commandId);
  const position = draft.position(id);
  if (!hasEnded(observed) || position === undefined || wish.type !== 'OPEN_POSITION') return;
  if (observed.state === 'OUTCOME_UNKNOWN') {
    draft.setPosition(id, { state: 'UNKNOWN', openCommandId: observed.commandId, unknownTimeMs: draft.nowMs });
    return;
  }
  if (observed.state !== 'SUCCEEDED') {
    notOpened(draft, id, shortReason(observed), observed.message);
    return;
  }
  const fill = oneFill(observed.fills) ?? {
    symbol: wish.symbol,
    quantity: wish.quantity,
    price: wish.referencePrice,
    fee: '',
    timeMs: observed.finishTimeMs,
  };
  if (position.state === 'NOT_OPENED') closeOrphan(draft, id, fill, observed.commandId);
  else if (position.openCommandId === '' && position.state !== 'ENTERING') {
    draft.setPosition(id, { openCommandId: observed.commandId });
  } else opened(draft, id, fill, observed.commandId);
}

/** It was given up, the strategy was told so, and it was filled nevertheless: it must not stay. */
function closeOrphan(draft: Draft, id: string, fill: Fill, openCommandId: string): void {
  draft.setPosition(id, {
    state: 'CLOSING',
    quantity: fill.quantity,
    entryPrice: fill.price,
    fee: fill.fee,
    openCommandId,
    exitReason: 'late_entry',
  });
  wantClose(draft, id, `late:${id}`, 'late_entry');
}

function followClose(draft: Draft, command: CommandRecord, observed: Observed): void {
  const { subjectId: id, requestId } = command;
  const position = draft.position(id);
  if (!hasEnded(observed) || position === undefined) return;
  const isNewerOpen = draft.commands.some((other) => isOpenClose(other, id) && other.requestId !== requestId);
  const fill = oneFill(observed.fills);
  if (observed.state === 'SUCCEEDED' && observed.closedBy === '' && isPartOf(fill, position)) {
    const message = partText(position, fill);
    partlyClosed(draft, id, fill);
    if (!isNewerOpen) notClosed(draft, id, requestId, 'partly_closed', message);
  } else if (observed.state === 'SUCCEEDED') {
    const reason = observed.closedBy === '' ? position.exitReason : observed.closedBy;
    const closeCommandId = observed.closedBy === '' ? observed.commandId : '';
    closed(draft, id, { fill, reason, section: sectionOf(reason), closeCommandId });
  } else if (isNewerOpen) {
    // A newer close is under way, and the position is its.
  } else if (observed.state !== 'OUTCOME_UNKNOWN' && observed.reason !== 'TARGET_UNKNOWN') {
    notClosed(draft, id, requestId, shortReason(observed), observed.message);
  } else if (position.state === 'CLOSING') {
    // Of a position that it does not know, too: its status says whether that is gone, or was never looked for.
    draft.setPosition(id, { unknownTimeMs: draft.nowMs });
  }
}

function partText({ quantity, symbol }: PositionRecord, fill: Fill): string {
  return `the venue closed ${fill.quantity} of ${quantity} ${symbol}, and the rest is still open`;
}

function isOpenClose(command: CommandRecord, positionId: string): boolean {
  return command.purpose === 'CLOSE' && command.subjectId === positionId && !hasEnded(command);
}

function strategyStopped(draft: Draft, command: CommandRecord, observed: Observed): void {
  const activation = draft.activation(command.subjectId);
  if (activation === undefined) return;
  const { state } = draft.session;
  if (command.wish.type === 'STOP_STRATEGY' && command.wish.closePositions) {
    if (observed.state === 'SUCCEEDED') {
      const parts = closeHeld(draft, observed, 'deactivated', activation.instanceId);
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

function closesPositions({ wish }: CommandRecord): boolean {
  return (wish.type === 'STOP_SESSION' || wish.type === 'STOP_ALL') && wish.closePositions;
}

function sessionStopped(draft: Draft, observed: Observed, closes: boolean): void {
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

/** The kill switch's command has stopped everything on the session's executor; `closes` when it was to close positions. */
export function executorHalted(draft: Draft, observed: Observed, closes: boolean): void {
  const parts = () => draft.positions.filter((each) => isHeld(each) && each.closedQuantity !== '');
  // Replicas look at the same answer side by side, and again after a failure: what it closed in part is booked once.
  const isBooked = parts().some((each) => each.closeCommandId === observed.commandId);
  if (draft.session.state !== 'STOPPING' || isBooked) return;
  stoppedThere(draft, observed, closes, 'stop_all');
  if (closes) for (const { id } of parts()) draft.setPosition(id, { closeCommandId: observed.commandId });
}

/**
 * One of several stops may keep the positions that another one is to close: it closes none here, and ends the session only
 * where none is to be closed. The other one has their fills.
 */
function stoppedThere(draft: Draft, observed: Observed, closes: boolean, reason: string): void {
  const [part] = closes ? closeHeld(draft, observed, reason) : [];
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

/** Wants a close of its own for each position that is held, of the session or of one instance; returns how many are. */
function closeEach(draft: Draft, reason: string, instanceId?: string): number {
  const held = draft.positions.filter(
    (position) => isHeld(position) && (instanceId === undefined || position.instanceId === instanceId),
  );
  for (const { id, state } of held) {
    if (state === 'OPEN') wantClose(draft, id, `alone:${id}:${draft.nowMs}`, reason);
  }
  return held.length;
}

/** The executor cannot confirm the kill switch any more: what it held is not known, and its positions stay as they were. */
export function executorLost(draft: Draft, reason: string): void {
  if (draft.session.state !== 'STOPPING') return;
  draft.setSession({ reason });
  finishStop(draft);
}

/**
 * The executor says that it closed everything of the session, or of one instance: each position takes its fill. An entry whose
 * own answer is still on its way was filled if there is a fill of it. Returns those that were closed in part, each with a sentence.
 */
function closeHeld(
  draft: Draft,
  { fills, commandId }: Observed,
  reason: string,
  instanceId?: string,
): { readonly id: string; readonly message: string }[] {
  const parts: { readonly id: string; readonly message: string }[] = [];
  const held = draft.positions.filter(
    (position) =>
      (isHeld(position) || position.state === 'ENTERING') &&
      (instanceId === undefined || position.instanceId === instanceId),
  );
  const shares = sharesOf(held, fills);
  for (const position of held) {
    const { id, symbol, quantity, entryPrice: price, state } = position;
    const fill = shares.get(id);
    if (fill === undefined && state === 'ENTERING') continue;
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
  return parts;
}

/** An executor that is back lists what it holds: what nobody knew is known. One that does not is asked again after as long. */
function settleByStatus(draft: Draft, command: CommandRecord, listed: Observed['positions']): void {
  const position = draft.position(command.subjectId);
  if (position === undefined || position.unknownTimeMs === null) return;
  if (listed === undefined) return draft.setPosition(position.id, { unknownTimeMs: draft.nowMs });
  const found = listed.find(
    (each) =>
      each.sessionId === position.sessionId &&
      each.strategyId === position.strategyId &&
      each.symbol === position.symbol,
  );
  if (position.state === 'UNKNOWN') {
    if (found === undefined) notOpened(draft, position.id, 'not_found', 'the executor has no such position');
    else {
      const { symbol, quantity, entryPrice: price } = found;
      opened(
        draft,
        position.id,
        { symbol, quantity, price, fee: '', timeMs: position.entryTimeMs },
        position.openCommandId,
      );
    }
  } else if (position.state === 'CLOSING') {
    if (found !== undefined) {
      notClosed(draft, position.id, command.requestId, 'still_open', 'the executor still has it');
    } else {
      const { exitReason: reason } = position;
      closed(draft, position.id, { fill: undefined, reason, section: sectionOf(reason), closeCommandId: '' });
    }
  }
}

/** Closes a position that no strategy asked to be closed. */
export function wantClose(draft: Draft, id: string, requestId: string, reason: string): void {
  const position = draft.position(id);
  if (position === undefined) return;
  draft.setPosition(id, { state: 'CLOSING', exitReason: reason, unknownTimeMs: null });
  draft.want({
    requestId,
    purpose: 'CLOSE',
    subjectId: id,
    wish: {
      type: 'CLOSE_POSITION',
      strategyId: position.strategyId,
      symbol: position.symbol,
      referencePrice: '',
      referenceTimeMs: null,
    },
  });
}

/** Which part of the platform or venue a position's exit came from. */
export function sectionOf(exitReason: string): Section {
  switch (exitReason) {
    case 'ze1_close':
      return 'ZE1_CLOSE';
    case 'emergency_exit':
      return 'EMERGENCY_EXIT';
    case 'stop_loss':
      return 'STOP_LOSS';
    case 'take_profit':
      return 'TAKE_PROFIT';
    case 'liquidation':
    case 'venue':
      return 'VENUE';
    default:
      return 'SESSION';
  }
}

function linkSignal(draft: Draft, positionId: string, commandId: string): void {
  const signal = draft.signals.find((each) => each.positionId === positionId);
  if (signal !== undefined) draft.setSignal(signal.id, { commandId });
}

/** Short and constant: "expired", "rejected", "failed". */
function shortReason({ state }: Observed): string {
  return state === 'REFUSED' ? 'rejected' : state.toLowerCase();
}

function unconfirmed(command: CommandRecord, { state, message }: Observed): string {
  const verb = command.purpose === 'PAUSE' ? 'pause' : 'resumption';
  return `the executor did not confirm the ${verb}: ${message === '' ? state : message}`;
}
