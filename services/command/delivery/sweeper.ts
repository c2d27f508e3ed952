import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Command } from '../domain/command.ts';
import type { UnreadableCommand } from '../domain/repository.ts';
import { transition } from '../domain/transition.ts';
import * as store from '../store/command-store.ts';
import type { Ledgers } from './ledgers.ts';

const SWEEP_INTERVAL_MS = 500;
const SWEEP_COMMANDS_MAX = 500;
/** The replica that holds the stream sends again by itself; others step in when it does not. */
const OWNER_GRACE_MS = 5_000;

export interface SweeperDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledgers: Ledgers;
  /** True when this replica holds the executor's stream: then the stream looks after its commands itself. */
  readonly holds: (executorId: string) => boolean;
  readonly setAside: (unreadable: readonly UnreadableCommand[]) => void;
}

/**
 * Moves commands whose time has come to their named end, whoever held them. Every replica sweeps: a change that another one
 * made first is refused by its version, so nothing is claimed and nothing stays claimed when a replica dies.
 */
export class Sweeper {
  readonly #deps: SweeperDependencies;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #failing = false;

  constructor(deps: SweeperDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweepGuarded().finally(() => {
        this.#sweeping = undefined;
      });
    }, SWEEP_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweepGuarded(): Promise<void> {
    try {
      while ((await this.#sweep()) === SWEEP_COMMANDS_MAX);
      this.#failing = false;
    } catch (thrown) {
      if (!this.#failing) this.#deps.logger.warn({ err: thrown }, 'sweep failed');
      this.#failing = true;
    }
  }

  /** One round; gives how many commands were moved. */
  async #sweep(): Promise<number> {
    const { pool, clock, ledgers, setAside } = this.#deps;
    const overdue = await store.readOverdue(pool, SWEEP_COMMANDS_MAX);
    setAside(overdue.unreadable);
    const nowMs = clock.nowMs();
    const moved = await Promise.all(
      overdue.commands.map(async (command) => {
        const linkAlive = overdue.linkAlive.has(command.id);
        if (this.#leftToOwner(command, linkAlive, nowMs)) return false;
        const next = transition(command, { type: 'overdue', linkAlive }, nowMs);
        if (next === null) return false;
        const row = { command: next.command, before: command, steps: [next.step], fenceEpoch: 0 };
        const written = await ledgers.of(command.accountId).change(row);
        if (written) ledgers.changed([next.command]);
        return written;
      }),
    );
    return moved.filter(Boolean).length;
  }

  #leftToOwner(command: Command, linkAlive: boolean, nowMs: number): boolean {
    if (nowMs - command.dueMs >= OWNER_GRACE_MS) return false;
    return this.#deps.holds(command.executorId) || (linkAlive && command.state === 'SENT');
  }
}
