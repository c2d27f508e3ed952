import type { Pool } from 'pg';
import type { Command, CommandState, Step } from '../domain/command.ts';
import type { BlockingCommand, CommandReader } from '../domain/command-reader.ts';
import { isKind, policyOf } from '../domain/kind.ts';
import { related } from '../domain/ordering-key.ts';
import { readCommandPage } from './command-list.ts';
import { readCommandRows } from './command-row.ts';
import { readByIds, readByRequestIds, run } from './command-store.ts';
import { type HistoryAfterRow, readHistoryPage } from './history-row.ts';
import { readHistoryAfter, readTimeline } from './history-statements.ts';
import { readEarlierKeys } from './list-statements.ts';
import { readQuarantine } from './quarantine-list.ts';
import { getCommand, readEventNumbers } from './read-statements.ts';
import { listAccounts } from './retention-statements.ts';
import { readStats } from './stats-store.ts';
import { parseSteps, readSteps, type StoredSteps } from './step-row.ts';

/** Numbers of history that one look goes through, however few of them match. */
const NUMBERS_PER_LOOK = 50_000;
const KEYS_PER_LOOK = 1_000;

interface NumbersRow {
  readonly event_number: number;
  readonly removed_number: number;
}

interface TimelineRow {
  readonly timeline: readonly StoredSteps[];
  readonly steps: readonly string[];
}

interface KeyRow {
  readonly id: string;
  readonly kind: string;
  readonly state: CommandState;
  readonly ordering_key: string;
  readonly sequence: number;
}

/** The stored commands, for those who only read. */
export function commandReader(pool: Pool): CommandReader {
  return {
    async get(accountId, id) {
      const { commands, unreadable } = readCommandRows(await run(pool, getCommand, [accountId, id]));
      return commands[0] ?? unreadable[0];
    },
    async getMany(accountId, ids) {
      const { commands } = await readByIds(pool, accountId, ids);
      return new Map(commands.map((command) => [command.id, command]));
    },
    async getByRequestId(accountId, requestId) {
      return (await readByRequestIds(pool, accountId, [requestId])).commands[0];
    },
    async accounts() {
      return (await run<{ id: string }>(pool, listAccounts, [])).map(({ id }) => id);
    },
    list: (accountId, filter, page) => readCommandPage(pool, accountId, filter, page),
    async historyRange(accountId) {
      const [row] = await run<NumbersRow>(pool, readEventNumbers, [[accountId]]);
      if (row === undefined) return { newest: 0, removed: 0 };
      return { newest: row.event_number, removed: row.removed_number };
    },
    async historyAfter(accountId, afterNumber, { entriesMax, executorId }) {
      const values = [accountId, afterNumber, entriesMax, executorId ?? null, NUMBERS_PER_LOOK];
      return readHistoryPage(await run<HistoryAfterRow>(pool, readHistoryAfter, values), {
        afterNumber,
        entriesMax,
        numbersMax: NUMBERS_PER_LOOK,
      });
    },
    async timelineOf(accountId, commandId) {
      const [row] = await run<TimelineRow>(pool, readTimeline, [accountId, commandId]);
      return row === undefined ? [] : timelineOf(row);
    },
    blocking: (command, blockingMax) => readBlocking(pool, command, blockingMax),
    stats: (accountId, query) => readStats(pool, accountId, query),
    quarantined: (accountId, page) => readQuarantine(pool, accountId, page),
  };
}

/** Of a command that two releases wrote, the later one knows its own steps by number only: time puts them in order. */
function timelineOf({ timeline, steps }: TimelineRow): readonly Step[] {
  const earlier = timeline.flatMap(readSteps);
  const own = steps.flatMap(parseSteps).filter(({ cause }) => cause !== 'progressed');
  return earlier.length === 0 ? own : [...earlier, ...own].toSorted((one, other) => one.atMs - other.atMs);
}

/** Page by page through what is open before the command, until enough of it is related. */
async function readBlocking(pool: Pool, command: Command, blockingMax: number): Promise<BlockingCommand[]> {
  const waits = command.orderingKey !== '' && !(isKind(command.kind) && policyOf(command.kind).overtakes);
  if (!waits) return [];
  const blocking: BlockingCommand[] = [];
  for (let after = -1; blocking.length < blockingMax; ) {
    const rows = await run<KeyRow>(pool, readEarlierKeys, [command.executorId, command.sequence, after, KEYS_PER_LOOK]);
    for (const row of rows) {
      if (!related(row.ordering_key, command.orderingKey)) continue;
      blocking.push({ id: row.id, kind: row.kind, state: row.state });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < KEYS_PER_LOOK) break;
    after = last.sequence;
  }
  return blocking.slice(0, blockingMax);
}
