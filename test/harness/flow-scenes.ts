import type { Kind } from '../../services/command/domain/kind.ts';
import type { LedgerPart } from './flow-ledger.ts';
import { FlowWorld, settled } from './flow-world.ts';

/** Lets the ledger write until nothing is left to be written. */
export async function written(world: FlowWorld, phases = 12): Promise<void> {
  for (let phase = 0; phase < phases; phase++) {
    world.ledger();
    await settled();
  }
}

/** The ledger takes these steps, one after the other. */
export async function stepped(world: FlowWorld, parts: readonly LedgerPart[]): Promise<void> {
  for (const part of parts) {
    world.ledger(part);
    await settled();
  }
}

/** The ledger looks at what others have written, and the stream learns it. */
export async function looked(world: FlowWorld): Promise<void> {
  world.sync();
  await stepped(world, ['read']);
}

/** A world in which one command has been sent and nothing more. */
export async function withOneSent(kind: Kind = 'open_position'): Promise<{ world: FlowWorld; id: string }> {
  const world = new FlowWorld();
  const id = world.issueHere(kind, '/s1/a/X');
  await written(world);
  if (world.sent.length !== 1) throw new Error('the command was not sent');
  return { world, id };
}

export function stateOf(world: FlowWorld, id: string): string {
  const { state = 'absent', error } = world.store.get(id) ?? {};
  return error === null || error === undefined ? state : `${state} ${error.reason}`;
}
