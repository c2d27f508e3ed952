import { isBookedAs, partText, sectionOf, wantClose } from './closing.ts';
import type { Draft } from './draft.ts';
import type { Observed } from './observed.ts';
import {
  closed,
  entryTold,
  type Fill,
  isPartOf,
  notClosed,
  notOpened,
  oneFill,
  opened,
  partlyClosed,
} from './positions.ts';
import { type CommandRecord, hasEnded } from './records.ts';
import { settleStart } from './starting.ts';
import { closesPositions, sessionStopped, strategyStopped } from './stopped.ts';

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
    case 'HALT':
      // Of many sessions, each of which books it by itself.
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
    // A stop, or the venue, may have told of it before.
    if (position.state !== 'ENTERING') return;
    draft.setPosition(id, { state: 'UNKNOWN', openCommandId: observed.commandId, unknownTimeMs: draft.nowMs });
    return;
  }
  if (observed.state !== 'SUCCEEDED') {
    notOpened(draft, id, shortReason(observed), observed.message);
    return;
  }
  const filled = oneFill(observed.fills);
  const fill = filled ?? {
    symbol: wish.symbol,
    quantity: wish.quantity,
    price: wish.referencePrice,
    fee: '',
    timeMs: observed.finishTimeMs,
  };
  if (position.state === 'NOT_OPENED') closeOrphan(draft, id, fill, observed.commandId);
  else if (position.state === 'ENTERING' || position.state === 'UNKNOWN') opened(draft, id, fill, observed.commandId);
  else entryTold(draft, id, filled, observed.commandId);
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
  const isPart = observed.closedBy === '' && position.state !== 'CLOSED' && isPartOf(fill, position);
  if (observed.state === 'SUCCEEDED' && isPart) {
    const message = partText(position, fill);
    partlyClosed(draft, id, fill);
    if (!isNewerOpen) notClosed(draft, id, requestId, 'partly_closed', message);
  } else if (observed.state === 'SUCCEEDED') {
    if (observed.closedBy !== '' && isBookedAs(position, observed.closedBy)) return;
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

function isOpenClose(command: CommandRecord, positionId: string): boolean {
  return command.purpose === 'CLOSE' && command.subjectId === positionId && !hasEnded(command);
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
