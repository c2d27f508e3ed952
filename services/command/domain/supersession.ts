import type { Command } from './command.ts';
import { isKind, policyOf } from './kind.ts';
import { contains } from './ordering-key.ts';

/** Kinds that `kind` makes pointless; empty for most. */
export function supersededKinds(kind: string): readonly string[] {
  return isKind(kind) ? policyOf(kind).supersedes : [];
}

/** True when the stop `later` makes the start `earlier` pointless: issued before it, of such a kind, within its key. */
export function supersedes(later: Command, earlier: Command): boolean {
  return (
    earlier.executorId === later.executorId &&
    earlier.sequence < later.sequence &&
    supersededKinds(later.kind).includes(earlier.kind) &&
    contains(later.orderingKey, earlier.orderingKey)
  );
}
