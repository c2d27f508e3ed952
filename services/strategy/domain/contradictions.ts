import type { Operator } from './definition.ts';

/** A comparison of one indicator. */
export interface Comparison {
  readonly id: string;
  readonly operator: Operator;
  readonly value: number;
}

/** The numbers that comparisons leave over: an interval without some points. */
interface Remaining {
  low: number;
  lowOpen: boolean;
  high: number;
  highOpen: boolean;
  readonly without: Set<number>;
}

/**
 * The first of some comparisons of one indicator that leaves no number for which all of them hold, with the fewest earlier ones
 * that it contradicts; undefined when there is such a number.
 */
export function contradiction<C extends Comparison>(
  comparisons: readonly C[],
): { readonly last: C; readonly against: readonly C[] } | undefined {
  const index = comparisons.findIndex((_, at) => nothingLeft(comparisons.slice(0, at + 1)));
  const last = comparisons[index];
  if (last === undefined) return undefined;
  const earlier = comparisons.slice(0, index);
  // Intervals on a line that have no common point have two that have none, unless a point is taken out of a single one.
  const one = earlier.find((each) => nothingLeft([each, last]));
  return { last, against: one === undefined ? earlier : [one] };
}

function nothingLeft(comparisons: readonly Comparison[]): boolean {
  const left: Remaining = {
    low: Number.NEGATIVE_INFINITY,
    lowOpen: true,
    high: Number.POSITIVE_INFINITY,
    highOpen: true,
    without: new Set(),
  };
  for (const comparison of comparisons) narrow(left, comparison);
  if (left.low !== left.high) return left.low > left.high;
  return left.lowOpen || left.highOpen || left.without.has(left.low);
}

function narrow(left: Remaining, { operator, value }: Comparison): void {
  switch (operator) {
    case '>':
      raise(left, value, true);
      break;
    case '>=':
      raise(left, value, false);
      break;
    case '<':
      lower(left, value, true);
      break;
    case '<=':
      lower(left, value, false);
      break;
    case '==':
      raise(left, value, false);
      lower(left, value, false);
      break;
    case '!=':
      left.without.add(value);
      break;
    default:
      operator satisfies never;
  }
}

function raise(left: Remaining, value: number, open: boolean): void {
  if (value > left.low) Object.assign(left, { low: value, lowOpen: open });
  else if (value === left.low) left.lowOpen ||= open;
}

function lower(left: Remaining, value: number, open: boolean): void {
  if (value < left.high) Object.assign(left, { high: value, highOpen: open });
  else if (value === left.high) left.highOpen ||= open;
}
