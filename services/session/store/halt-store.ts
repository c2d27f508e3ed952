import type { Pool } from 'pg';
import type { Draft } from '../domain/draft.ts';
import {
  type ExecutorName,
  type HaltBook,
  type HaltRecord,
  type HaltTarget,
  type HaltView,
  haltCommand,
} from '../domain/halt.ts';
import type { CommandRecord } from '../domain/records.ts';
import { haltSession } from '../domain/stopping.ts';
import {
  abandonHalt,
  acknowledgeHalt,
  claimHalts,
  completeHalt,
  findHaltRequest,
  getHalt,
  insertHalt,
  insertHaltTargets,
  kickHalts,
  observeHaltCommand,
  lockAccount,
  readClosingExecutors,
  readHaltCommands,
  readHaltedSessions,
  readHaltScope,
  readHaltTargets,
  retargetHalt,
} from './halt-statements.ts';
import { writeCommands } from './session-statements.ts';
import { changeWithin } from './session-change.ts';
import type { ChangeListener } from './session-store.ts';
import { inTransaction, read, run } from './statement.ts';

interface SessionInScope {
  readonly id: string;
  /** Null for a back-test. */
  readonly executor_id: string | null;
  readonly executor_name: string;
}

/** The stored kill switches. */
export function haltBook(pool: Pool, nowMs: () => number, listener: ChangeListener): HaltBook {
  const views = async (halts: readonly HaltRecord[]): Promise<HaltView[]> => {
    if (halts.length === 0) return [];
    const ids = halts.map(({ id }) => id);
    const targets = await read<HaltTarget>(pool, readHaltTargets, [ids]);
    const commands = await read<CommandRecord>(pool, readHaltCommands, [ids]);
    const byRequest = new Map(commands.map((command) => [command.requestId, command]));
    return halts.map((halt) => ({
      halt,
      targets: targets
        .filter((target) => target.haltId === halt.id)
        .flatMap((target) => {
          const command = byRequest.get(target.requestId);
          return command === undefined ? [] : [{ ...target, command }];
        }),
    }));
  };
  return {
    async create({ halt, executors, sessionId }) {
      const sessionIds = await inTransaction(pool, async (client) => {
        await run(client, lockAccount, [halt.accountId]);
        const executorId = halt.scope === 'EXECUTOR' ? (executors[0]?.id ?? null) : null;
        const scope = [halt.accountId, executorId, sessionId ?? null];
        const inScope = await run<SessionInScope>(client, readHaltScope, scope);
        const ids = inScope.map(({ id }) => id);
        const targets = targetsOf(executors, inScope);
        const { id, accountId, requestId, fingerprint, target, closePositions, author } = halt;
        const row = [id, accountId, requestId, fingerprint, halt.scope, target, closePositions, author, ids];
        if ((await run(client, insertHalt, row)).length === 0) return undefined;
        const commands = targets.map((executor) => haltCommand({ halt, sessionId }, executor.id, 0, nowMs()));
        await run(client, writeCommands, [JSON.stringify(commands)]);
        await run(client, insertHaltTargets, [
          id,
          targets.map((executor) => executor.id),
          targets.map((executor) => executor.name),
          commands.map((command) => command.requestId),
        ]);
        const stop = (draft: Draft): void => haltSession(draft, id, closePositions);
        await changeWithin(
          client,
          ids.map((each) => ({ sessionId: each, options: {}, work: stop })),
          nowMs(),
        );
        return ids;
      });
      for (const each of sessionIds ?? []) listener.changed(each);
      return sessionIds !== undefined;
    },
    async get(accountId, id) {
      return (await views(await read<HaltRecord>(pool, getHalt, [accountId, id ?? null])))[0];
    },
    async findRequest(accountId, requestId) {
      return (await views(await read<HaltRecord>(pool, findHaltRequest, [accountId, requestId])))[0];
    },
    async claim(againMs, max) {
      return views(await read<HaltRecord>(pool, claimHalts, [againMs, max]));
    },
    async observed(command) {
      await read(pool, observeHaltCommand, [JSON.stringify([command])]);
    },
    async again(target, command) {
      await inTransaction(pool, async (client) => {
        const moved = [target.haltId, target.executorId, command.requestId, target.attempt + 1];
        if ((await run(client, retargetHalt, moved)).length === 0) return;
        await run(client, writeCommands, [JSON.stringify([command])]);
        await run(client, kickHalts, [[target.haltId]]);
      });
    },
    async acknowledged({ haltId, executorId }, timeMs) {
      await read(pool, acknowledgeHalt, [haltId, executorId, Math.round(timeMs)]);
    },
    async abandoned({ haltId, executorId }, reason) {
      return (await read(pool, abandonHalt, [haltId, executorId, reason])).length > 0;
    },
    async complete(id) {
      await read(pool, completeHalt, [id]);
    },
    async closing(haltId) {
      return new Set((await read<{ id: string }>(pool, readClosingExecutors, [haltId])).map(({ id }) => id));
    },
    async sessions(haltId, executorId, named = []) {
      const rows = await read<{ id: string }>(pool, readHaltedSessions, [haltId, executorId, named]);
      return rows.map(({ id }) => id);
    },
  };
}

/** Those that were found, and those of sessions in scope: one that was disabled, or created meanwhile, may hold positions too. */
function targetsOf(found: readonly ExecutorName[], sessions: readonly SessionInScope[]): readonly ExecutorName[] {
  const ofSessions = sessions.flatMap(({ executor_id: id, executor_name: name }) =>
    id === null ? [] : [{ id, name }],
  );
  return [...new Map([...ofSessions, ...found].map((executor) => [executor.id, executor])).values()];
}
