import { createHash } from 'node:crypto';

/**
 * The order in which to try replicas for a key: the same everywhere and for ever while the list is the same, spread evenly over
 * keys, and with one replica gone only its own keys move (rendezvous hashing). No table to share or to lose.
 */
export function replicaOrder(key: string, replicas: readonly string[]): string[] {
  return replicas
    .map((replica) => ({ replica, weight: createHash('sha256').update(`${replica}\n${key}`).digest('hex') }))
    .toSorted((a, b) => (a.weight < b.weight ? 1 : -1))
    .map((entry) => entry.replica);
}
