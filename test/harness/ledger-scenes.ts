import { randomUUID } from 'node:crypto';
import type { Command } from '../../services/command/domain/command.ts';
import { newCredential } from '../../services/command/domain/credential.ts';
import type { HistoryEntry } from '../../services/command/domain/repository.ts';
import { commandReader } from '../../services/command/store/command-reader.ts';
import { readByIds } from '../../services/command/store/command-store.ts';
import { executorBook } from '../../services/command/store/executor-store.ts';
import type { LedgerReplica } from './ledger-replica.ts';

/** The newest epoch of every executor made here. */
export const EPOCH = 3;

/** An executor of account "main" whose stream has epoch 3. */
export async function newExecutor(replica: LedgerReplica): Promise<string> {
  const id = randomUUID();
  await executorBook(replica.pool, 1_000).create({
    id,
    accountId: 'main',
    name: `vps-${id.slice(0, 8)}`,
    labels: {},
    credential: newCredential(),
  });
  await replica.pool.query('UPDATE command.executor SET stream_epoch = $2 WHERE id = $1', [id, EPOCH]);
  return id;
}

/** The commands as they are stored now, by id. */
export async function stored(replica: LedgerReplica, ids: readonly string[]): Promise<ReadonlyMap<string, Command>> {
  const { commands } = await readByIds(replica.pool, 'main', ids);
  return new Map(commands.map((command) => [command.id, command]));
}

/** Follows the account's history as a watcher does, until it has come to `end` numbers or is told to stop. */
export async function follow(replica: LedgerReplica, pageRows: number, over: () => boolean): Promise<HistoryEntry[]> {
  const reader = commandReader(replica.pool);
  const seen: HistoryEntry[] = [];
  for (let after = 0; ; ) {
    const finished = over();
    const page = await reader.historyAfter('main', after, { entriesMax: pageRows });
    seen.push(...page.entries);
    if (page.throughNumber < after) throw new Error(`the history went back from ${after} to ${page.throughNumber}`);
    after = page.throughNumber;
    if (finished && !page.more) return seen;
  }
}
