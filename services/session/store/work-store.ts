import type { Pool } from 'pg';
import type { ClaimedWork, WorkBook } from '../domain/work.ts';
import { read } from './statement.ts';
import { claimWork, kickWork, releaseWork, renewWork } from './work-statements.ts';

/** Who works on which session. */
export function workBook(pool: Pool, replicaId: string): WorkBook {
  return {
    async kick(sessionIds) {
      await read(pool, kickWork, [sessionIds]);
    },
    claim(leaseMs, max) {
      return read<ClaimedWork>(pool, claimWork, [replicaId, leaseMs, max]);
    },
    async renew(sessionId, leaseMs) {
      return (await read(pool, renewWork, [sessionId, replicaId, leaseMs])).length > 0;
    },
    async release({ sessionId, kicks }, dueInMs) {
      const ms = Number.isFinite(dueInMs) ? Math.max(0, Math.ceil(dueInMs)) : null;
      const [row] = await read<{ due: boolean }>(pool, releaseWork, [sessionId, replicaId, kicks, ms]);
      return row?.due ?? false;
    },
  };
}
