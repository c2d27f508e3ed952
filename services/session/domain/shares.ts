import { allotted, type Fill, isLess, oneFill, type OwnedFill } from './positions.ts';
import type { PositionRecord } from './records.ts';

type Sharing = Pick<PositionRecord, 'id' | 'sessionId' | 'strategyId' | 'symbol' | 'quantity' | 'state'>;

/**
 * What of a stop's fills is whose, by the position's id; nothing for a position without a fill. A fill that says whose position
 * it closed is that one's; two of one instance, which are one at the venue, share it. Of others symbol and quantity tell: one of
 * just the quantity, else, but for an entry whose own answer is still on its way, as many of the symbol as it can have had.
 */
export function sharesOf(positions: readonly Sharing[], fills: readonly OwnedFill[]): ReadonlyMap<string, Fill> {
  const shares = new Map<string, Fill>();
  const owned = fills.some(({ sessionId }) => sessionId !== '');
  // Beside owned ones, one that has no owner is of a position that belongs to no session.
  let left = fills.filter(({ sessionId, strategyId }) => strategyId === '' && (sessionId !== '' || !owned));
  const give = (position: Sharing, own: readonly OwnedFill[]): void => {
    const share = oneFill(own);
    if (share === undefined) return;
    shares.set(position.id, share);
    left = left.filter((fill) => !own.includes(fill));
  };
  const without = (): Sharing[] => positions.filter(({ id }) => !shares.has(id));
  for (const alike of Map.groupBy(positions, ownerOf).values()) {
    const [first, ...others] = alike.toSorted((a, b) => Number(isEntering(a)) - Number(isEntering(b)));
    const own = first === undefined ? undefined : oneFill(fills.filter((fill) => isOf(fill, first)));
    if (first === undefined || own === undefined) continue;
    const sharing = [first, ...others];
    const parts =
      sharing.length === 1
        ? [own]
        : allotted(
            own,
            sharing.map(({ quantity }) => quantity),
          );
    for (const [at, part] of parts.entries()) {
      const position = sharing[at];
      // One of which the venue has closed nothing is still open; an entry without a fill has not been filled.
      if (position !== undefined && (!isEntering(position) || isLess('0', part.quantity)))
        shares.set(position.id, part);
    }
  }
  for (const position of without()) give(position, left.filter((fill) => isExact(fill, position)).slice(0, 1));
  for (const position of without().filter(({ state }) => state !== 'ENTERING')) {
    const alike = left.filter((fill) => isAlike(fill, position));
    const fitting = fittingOf(alike, position);
    give(position, fitting.length > 0 ? fitting : alike.slice(0, 1));
  }
  return shares;
}

function ownerOf({ sessionId, strategyId, symbol }: Sharing): string {
  return `${sessionId} ${strategyId} ${symbol}`;
}

function isEntering({ state }: Sharing): boolean {
  return state === 'ENTERING';
}

/** Whether the fill says that it is of the position's instance. */
export function isOf(
  fill: OwnedFill,
  { sessionId, strategyId, symbol }: Pick<Sharing, 'sessionId' | 'strategyId' | 'symbol'>,
): boolean {
  return fill.sessionId === sessionId && fill.strategyId === strategyId && fill.symbol === symbol;
}

function isAlike(fill: OwnedFill, { sessionId, symbol }: Sharing): boolean {
  return fill.symbol === symbol && (fill.sessionId === '' || fill.sessionId === sessionId);
}

function isExact(fill: OwnedFill, position: Sharing): boolean {
  return (
    isAlike(fill, position) && !isLess(fill.quantity, position.quantity) && !isLess(position.quantity, fill.quantity)
  );
}

/** As many of the fills, in their order, as the position can have had. */
function fittingOf(fills: readonly OwnedFill[], { quantity }: Sharing): OwnedFill[] {
  const taken: OwnedFill[] = [];
  for (const fill of fills) {
    const all = oneFill([...taken, fill]);
    if (all !== undefined && !isLess(quantity, all.quantity)) taken.push(fill);
  }
  return taken;
}
