import type { UnreadableCommand } from '../../services/command/domain/repository.ts';
import { ExecutorSession } from '../../services/command/link/session.ts';
import { reasonOf } from '../../services/command/link/session-end.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import { SharedTurn } from '../../services/platform/shared-turn.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { sampleId } from './sample-commands.ts';

export interface WatchedSession {
  readonly session: ExecutorSession;
  readonly clock: ManualClock;
  readonly ends: string[];
  readonly defects: UnreadableCommand[];
}

/** A session of stream 3 of `vps-1` with credential `k1`, over nothing: what it ends by and sets aside is kept. */
export function watchedSession(): WatchedSession {
  const clock = new ManualClock();
  const ends: string[] = [];
  const defects: UnreadableCommand[] = [];
  const session = new ExecutorSession(
    {
      accountId: 'main',
      executorId: sampleId(1),
      executorName: 'vps-1',
      keyId: 'k1',
      credentialEndMs: null,
      epoch: 3,
      journalId: 'j1',
      host: 'vps',
      agentVersion: '1.0.0',
      contractDigest: 'd1',
      link: 'STREAM',
      kinds: new Set(['ping']),
      helloMs: 0,
      inFlightMax: 10,
      takesPrices: true,
    },
    {
      clock,
      logger: createLogger('test', 'silent'),
      write: () => undefined,
      read: () => Promise.resolve({ commands: [], unreadable: [] }),
      setAside: (unreadable) => defects.push(...unreadable),
      ended: (_session, end) => ends.push(reasonOf(end)),
      review: () => undefined,
      noteInFlightMax: () => undefined,
      unhurried: new SharedTurn(clock, 100),
      venue: { book: { store: () => Promise.resolve(0) }, feed: undefined, stored: () => undefined },
    },
  );
  return { session, clock, ends, defects };
}
