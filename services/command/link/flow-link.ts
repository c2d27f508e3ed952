import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { PendingChange } from '../delivery/change-queue.ts';
import type { Command } from '../domain/command.ts';
import type { ReadCommands } from '../domain/repository.ts';
import type { CommandEvent } from '../domain/transition.ts';

/** What a flow says to the agent; each call is made after the fact that it rests on is durable. */
export interface FlowOutput {
  /** `isChecked`: its parameters were made in this process; those of a stored command may be anything. */
  deliver(command: Command, isChecked?: boolean): void;
  cancel(commandId: string): void;
  acknowledge(commandId: string): void;
  inquire(commandIds: readonly string[]): void;
  /** A write was refused although the command had not changed: a newer stream may have taken over. */
  fenced(): void;
}

export interface FlowDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Writes through the account's ledger; with `mayGather` it may wait a moment for others. */
  readonly write: (change: PendingChange, mayGather: boolean) => void;
  readonly read: (commandIds: readonly string[]) => Promise<ReadCommands>;
  readonly output: FlowOutput;
}

/** An agent's stream as far as commands are concerned. */
export interface FlowLink {
  readonly executorId: string;
  readonly epoch: number;
  readonly journalId: string;
  readonly kinds: ReadonlySet<string>;
}

/** One fact about one command, from the agent. */
export interface AgentFact {
  readonly commandId: string;
  readonly event: Extract<CommandEvent, { type: 'received' | 'started' | 'progressed' | 'finished' | 'not_found' }>;
}
