import type { Pool } from 'pg';
import type { Followed, FollowBook } from '../domain/follower.ts';
import type { CommandRecord } from '../domain/records.ts';
import {
  beginFollowing,
  claimFollowers,
  moveCursors,
  readFollower,
  releaseFollower,
  renewFollower,
} from './follow-statements.ts';
import { kickHalts } from './halt-statements.ts';
import { findCommands, getSession, readSessionsOnExecutor } from './read-statements.ts';
import { writeCommands } from './session-statements.ts';
import { changeWithin } from './session-change.ts';
import type { ChangeListener } from './session-store.ts';
import { inTransaction, read, run } from './statement.ts';

/** The stored cursors. */
export function followBook(pool: Pool, replicaId: string, nowMs: () => number, listener: ChangeListener): FollowBook {
  return {
    async begin(accountId, commandCursor) {
      return (await read(pool, beginFollowing, [accountId, commandCursor])).length > 0;
    },
    async isFollowed(accountId) {
      return (await read(pool, readFollower, [accountId])).length > 0;
    },
    claim(leaseMs, max) {
      return read<Followed>(pool, claimFollowers, [replicaId, leaseMs, max]);
    },
    async renew({ accountId, epoch }, leaseMs) {
      return (await read(pool, renewFollower, [accountId, epoch, leaseMs])).length > 0;
    },
    async release({ accountId, epoch }) {
      await read(pool, releaseFollower, [accountId, epoch]);
    },
    async advance({ accountId, epoch, stream, cursor, changes, commands }) {
      await inTransaction(pool, async (client) => {
        const [commandCursor, venueCursor] = stream === 'commands' ? [cursor, null] : [null, cursor];
        const moved = await run(client, moveCursors, [accountId, epoch, commandCursor, venueCursor]);
        if (moved.length === 0) throw new Error(`account ${accountId} is followed by another replica now`);
        await changeWithin(client, changes, nowMs());
        if (commands.length === 0) return;
        await run(client, writeCommands, [JSON.stringify(commands)]);
        await run(client, kickHalts, [commands.flatMap(({ haltId }) => haltId ?? [])]);
      });
      for (const { sessionId } of changes) listener.changed(sessionId);
    },
    find(accountId, requestIds) {
      return read<CommandRecord>(pool, findCommands, [accountId, requestIds]);
    },
    async onExecutor(accountId, executorId, sessionIds) {
      const rows = await read<{ id: string }>(pool, readSessionsOnExecutor, [accountId, executorId, sessionIds]);
      return rows.map(({ id }) => id);
    },
    async sessionOf(accountId, sessionId) {
      return (await read(pool, getSession, [accountId, sessionId])).length > 0;
    },
  };
}
