import { stopSupersedes } from './kinds.ts';
import { containsKey, type KeyPath, parseOrderingKey } from './ordering-key.ts';

/** A stop that this agent has received. */
export interface IssuedStop {
  readonly commandId: string;
  readonly kind: string;
  readonly orderingKey: string;
  readonly sequence: number;
}

/** What a start says about itself. */
export interface FencedCommand {
  readonly kind: string;
  readonly orderingKey: string;
  readonly sequence: number;
}

/** Whether `command` was issued before `stop`, lies within its key and is of a kind that the stop makes pointless. */
export function isSupersededBy(command: FencedCommand, stop: IssuedStop): boolean {
  if (stop.sequence <= command.sequence || !stopSupersedes(stop.kind, command.kind)) return false;
  const outer = parseOrderingKey(stop.orderingKey);
  const inner = parseOrderingKey(command.orderingKey);
  return outer !== undefined && inner !== undefined && containsKey(outer, inner);
}

/**
 * The newest stop of each key, so that a start which arrives after its stop (a late repetition) is refused however long ago
 * the stop was finished. Rebuilt from the journal at start and whenever old entries are pruned.
 */
export class StopFence {
  #newest = new Map<string, IssuedStop>();

  remember(stop: IssuedStop): void {
    const known = this.#newest.get(stop.orderingKey);
    if (known === undefined || known.sequence < stop.sequence) this.#newest.set(stop.orderingKey, stop);
  }

  replaceAll(stops: Iterable<IssuedStop>): void {
    this.#newest = new Map();
    for (const stop of stops) this.remember(stop);
  }

  /** The stop that makes `command` pointless, if one was received. */
  supersederOf(command: FencedCommand): IssuedStop | undefined {
    const path = parseOrderingKey(command.orderingKey);
    if (path === undefined) return undefined;
    return outerPaths(path)
      .map((outer) => this.#newest.get(outer))
      .find((stop) => stop !== undefined && isSupersededBy(command, stop));
  }
}

/** The paths of a key and of every key around it, widest first. */
function outerPaths(path: KeyPath): string[] {
  return [...Array(path.length + 1).keys()].map((length) => `/${path.slice(0, length).join('/')}`);
}
