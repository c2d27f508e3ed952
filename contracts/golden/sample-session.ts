import type { ChangedCommand } from '../../services/command/domain/repository.ts';
import { ExecutorSession } from '../../services/command/link/session.ts';
import type { Clock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { SharedTurn } from '../../services/platform/shared-turn.ts';
import { KIND_FIELDS } from './sample-commands.ts';
import { SAMPLE } from './sample-values.ts';

/**
 * The session that speaks to agents in production, with the agent of the samples at its other end, and no database: whatever it
 * wants written is durable at once, and goes to `written`.
 */
export function sampleSession(
  clock: Clock,
  written: (changed: ChangedCommand) => void = () => undefined,
): ExecutorSession {
  const { accountId, executorId, executorName, journalId, host, keyId, epoch } = SAMPLE;
  const kinds = new Set(KIND_FIELDS.map((kind) => kind.name));
  const identity = {
    accountId,
    executorId,
    executorName,
    journalId,
    host,
    keyId,
    epoch,
    kinds,
    agentVersion: '',
    contractDigest: '',
  };
  return new ExecutorSession(
    { ...identity, takesPrices: true, credentialEndMs: null, link: 'STREAM', inFlightMax: 256, helloMs: SAMPLE.nowMs },
    {
      clock,
      logger: createLogger('command', 'silent'),
      write: (change) => {
        written(change.take());
        // As a ledger does, not before its caller has gone on.
        queueMicrotask(() => change.resolve(true));
      },
      read: async () => ({ commands: [], unreadable: [] }),
      setAside: (unreadable) => {
        throw new Error(`a sample cannot be sent: ${unreadable[0]?.defect}`);
      },
      ended: () => undefined,
      review: () => undefined,
      noteInFlightMax: () => undefined,
      venue: { book: { store: async () => 1 }, feed: undefined, stored: () => undefined },
      unhurried: new SharedTurn(clock, 100),
    },
  );
}
