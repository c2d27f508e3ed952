import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transition } from '../services/command/domain/transition.ts';
import type { ChangedCommand, NewCommand } from '../services/command/domain/repository.ts';
import { prepareChange, prepareInsert } from '../services/command/store/write-statements.ts';
import { createDatabase, type TestDatabase } from './harness/database.ts';
import { sampleCommand, sampleId, sampleOrder } from './harness/sample-commands.ts';
import { insertSampleInstances } from './harness/sample-instances.ts';
import { insertSampleMarkets, sampleMarket } from './harness/sample-markets.ts';
import { insertSampleRows, sampleRow } from './harness/sample-rows.ts';
import { insertSampleSessions } from './harness/sample-sessions.ts';
import { insertSampleStrategies, sampleStrategyRow } from './harness/sample-strategy-rows.ts';
import { HOT_TRADING, type HotStatement, LARGE_TRADING_TABLES } from './harness/trading-statements.ts';
import { schemaListings } from './harness/schema-listing.ts';
import { issue } from '../services/command/domain/issue.ts';

interface Statement {
  readonly name: string;
  readonly text: string;
}

interface Found extends Statement {
  readonly file: string;
}

function isStatement(value: unknown): value is Statement {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'text' in value &&
    typeof value.name === 'string' &&
    typeof value.text === 'string'
  );
}

/** Every statement that any service exports: a new file is found by its name alone. */
async function allStatements(): Promise<Found[]> {
  const found: Found[] = [];
  for (const file of globSync('services/*/store/*-statements.ts').toSorted()) {
    const exported: Record<string, unknown> = await import(/* @vite-ignore */ resolve(file));
    for (const value of Object.values(exported)) if (isStatement(value)) found.push({ ...value, file });
  }
  return found;
}

const statements = await allStatements();

/** Services that keep something: each has a schema of its own name. */
const keepers = globSync('services/*/migrations').map((folder) => folder.split('/')[1] ?? '');

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await insertSampleRows(client);
  await insertSampleMarkets(client);
  await insertSampleStrategies(client);
  await insertSampleSessions(client);
  await insertSampleInstances(client);
});

afterAll(async () => {
  await client.end();
  await database[Symbol.asyncDispose]();
});

describe('the migrated schema', () => {
  test('is the one that is checked in; `npm run schema` writes it anew after a migration was added', async () => {
    const listings = await schemaListings(database.url);
    expect([...listings.keys()]).toEqual(keepers.toSorted());
    for (const [schema, listing] of listings) {
      expect(listing).toBe(await readFile(new URL(`schema/${schema}.txt`, import.meta.url), 'utf8'));
    }
  });

  test('names every constraint and index after its table', async () => {
    for (const [schema, listing] of await schemaListings(database.url)) {
      for (const part of listing.split('\n\n')) {
        const table = new RegExp(`^table ${schema}\\.(\\w+)`).exec(part)?.[1];
        const names = [...part.matchAll(/^ {2}(?:constraint|(?:unique )?index) (\w+)/gm)].map(([, name]) => name ?? '');
        expect(names.filter((name) => !name.startsWith(`${table}_`))).toEqual([]);
      }
    }
  });
});

describe('every statement', () => {
  test('is found, in files of every service that keeps something', () => {
    expect(statements.length).toBeGreaterThan(40);
    expect(new Set(statements.map(({ file }) => file.split('/')[1]))).toEqual(new Set(keepers));
  });

  test('has a name of its own: two that share one would be mistaken for each other on a connection', () => {
    const names = statements.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names.filter((name) => !/^[a-z][a-z_]{0,62}$/.test(name))).toEqual([]);
  });

  test.each(statements)('$name fits the migrated schema', async ({ name, text }) => {
    await client.query(`PREPARE check_${name} AS ${text}`);
    await client.query(`DEALLOCATE check_${name}`);
  });
});

test('a statement that does not fit the schema is noticed', async () => {
  await expect(client.query('PREPARE misfit AS SELECT commmand_id FROM command.history')).rejects.toThrow(
    /commmand_id/,
  );
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Plan {
  readonly indexes: ReadonlySet<string>;
  /** Tables that are read from end to end. */
  readonly scanned: ReadonlySet<string>;
}

function summary(root: PlanNode): Plan {
  const indexes = new Set<string>();
  const scanned = new Set<string>();
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node['Index Name'] !== undefined) indexes.add(node['Index Name']);
    if (node['Node Type'] === 'Seq Scan' && node['Relation Name'] !== undefined) scanned.add(node['Relation Name']);
    open.push(...(node.Plans ?? []));
  }
  return { indexes, scanned };
}

async function explain(options: string, text: string, values: readonly unknown[]): Promise<Plan> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(
    `EXPLAIN (FORMAT JSON${options}) ${text}`,
    [...values],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan === undefined) throw new Error('no plan came back');
  return summary(plan);
}

const account = sampleRow.accountId(0);
const executors = [sampleRow.executorId(0), sampleRow.executorId(5)];
const commands = [sampleRow.commandId(100), sampleRow.commandId(205)];
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

function newRows(): NewCommand[] {
  return executors.map((executorId, i) => {
    const { command, step } = issue(sampleOrder({ id: sampleRow.commandId(900_000 + i), executorId }), Date.now());
    return {
      command,
      step,
      sent: transition(command, { type: 'sent', epoch: 3, journalId: 'j' }, Date.now()),
    };
  });
}

/** With another note than before, a change has more to write than most. */
function changedRows(note: string | null): ChangedCommand[] {
  return commands.map((id) => {
    const command = { ...sampleCommand({}, {}, Date.now()), id, executorId: executors[0] ?? '' };
    return { command, before: { ...command, version: 4, note }, steps: [], fenceEpoch: 3 };
  });
}

const trader = sampleStrategyRow.accountId(0);

/** What runs often, or over much: sample values, and the indexes that must carry it. */
const HOT: Readonly<Record<string, HotStatement>> = {
  ...HOT_TRADING,
  insert_commands: {
    values: () => [account, 2, sampleId(1), 10, ...prepareInsert(newRows()).values],
    indexes: ['executor_pkey'],
  },
  insert_requested_commands: {
    values: () => [account, 2, sampleId(1), 10, ...prepareInsert(newRows()).values],
    indexes: ['executor_pkey'],
  },
  change_commands: {
    values: () => [account, 2, sampleId(1), ...prepareChange(changedRows('another')).values],
    indexes: ['command_pkey', 'executor_pkey'],
  },
  advance_commands: {
    values: () => [account, 2, sampleId(1), ...prepareChange(changedRows(null)).values],
    indexes: ['command_pkey', 'executor_pkey'],
  },
  get_command: { values: () => [account, commands[0]], indexes: ['command_pkey'] },
  read_commands_by_id: { values: () => [account, commands], indexes: ['command_pkey'] },
  read_commands_by_request: { values: () => [account, ['r100', 'r200']], indexes: ['command_request_key'] },
  read_timeline: { values: () => [account, commands[0]], indexes: ['command_pkey', 'history_batch_pkey'] },
  read_open_commands: { values: () => [executors, -1, 2_000], indexes: ['command_open_idx'] },
  read_earlier_keys: { values: () => [executors[0], 90_000, -1, 1_000], indexes: ['command_open_idx'] },
  count_open_commands: { values: () => [executors], indexes: ['command_open_idx'] },
  lock_supersedable: { values: () => [account, executors, ['open_position']], indexes: ['command_open_idx'] },
  list_open_commands: { values: () => [account, null, LAST_ID, ['PENDING'], null, 100], indexes: ['command_open_idx'] },
  read_overdue_commands: { values: () => [500], indexes: ['command_due_idx'] },
  read_unsettled_commands: { values: () => [executors, 1_000], indexes: ['command_unsettled_idx'] },
  read_changed_commands: {
    values: () => [account, 50_000, 50_500, executors],
    indexes: ['history_batch_pkey', 'history_entry_pkey', 'command_pkey'],
  },
  read_history_after: {
    values: () => [account, 50_000, 100, null, 50_000],
    indexes: ['history_batch_pkey', 'history_entry_pkey'],
  },
  list_commands: { values: () => [account, LAST_ID, 100], indexes: ['command_pkey'] },
  search_commands: {
    values: () => [account, executors[0], LAST_ID, ['FAILED'], ['ping'], 100, 5_000],
    indexes: ['command_pkey'],
  },
  remove_history: { values: () => [account, 1_700_000_000_500, 1_000], indexes: ['history_batch_pkey'] },
  remove_history_entries: { values: () => [account, 1_700_000_000_500, 1_000], indexes: ['history_entry_pkey'] },
  remove_commands: { values: () => [account, commands[1], 1_000], indexes: ['command_pkey'] },
  quarantine_rows: { values: () => [account, commands, ['a', 'b']], indexes: ['command_pkey'] },
  fail_quarantined: { values: () => [account, commands, ['a', 'b']], indexes: ['command_pkey'] },
  list_quarantined: { values: () => [account, null, null, null, 100], indexes: ['quarantine_account_idx'] },
  read_credentials: { values: () => [['k1', 'k2']], indexes: ['credential_pkey', 'executor_pkey'] },
  read_credential_ends: { values: () => [['k1', 'k2']], indexes: ['credential_pkey'] },
  accept_streams: {
    values: () => [
      'command-0',
      executors,
      ['STREAM', 'STREAM'],
      ['j', 'j'],
      ['', ''],
      ['', ''],
      ['', ''],
      ['', ''],
      [1, 1],
      [12, null],
    ],
    indexes: ['executor_pkey'],
  },
  close_streams: { values: () => [executors, [3, 3], ['', '']], indexes: ['executor_pkey'] },
  note_streams: { values: () => [executors, [1, 1], [0.5, null]], indexes: ['executor_pkey'] },
  read_stream_facts: { values: () => [executors], indexes: ['executor_pkey'] },
  read_recently_changed: { values: () => [5], indexes: ['executor_change_idx'] },
  find_executors: {
    values: () => [
      [account, account],
      ['vps-0', null],
      [null, executors[1]],
    ],
    indexes: ['executor_account_name_key', 'executor_pkey'],
  },
  lock_strategy_account: { values: () => [trader], indexes: [] },
  read_strategy_facts: {
    values: () => [trader, sampleStrategyRow.name(50), sampleStrategyRow.strategyId(50), 'request-100'],
    indexes: ['strategy_pkey', 'strategy_request_key', 'strategy_name_key', 'revision_pkey'],
  },
  write_revision: {
    values: () => [trader, 5_000, sampleStrategyRow.strategyId(50), 'UPDATED', 'x', '{}', 'anna', null, null],
    indexes: ['strategy_name_key'],
  },
  find_strategy: {
    values: () => [trader, sampleStrategyRow.name(50), sampleStrategyRow.strategyId(50)],
    indexes: ['strategy_pkey', 'strategy_name_key'],
  },
  read_revisions: {
    values: () => [trader, sampleStrategyRow.strategyId(50), 900, 100],
    indexes: ['revision_strategy_idx'],
  },
  list_strategies: { values: () => [trader, 'strategy-5', 100], indexes: ['strategy_name_key', 'revision_pkey'] },
  read_newest_revisions: {
    values: () => [trader, [sampleStrategyRow.strategyId(50), sampleStrategyRow.strategyId(100)]],
    indexes: ['strategy_pkey'],
  },
  read_changes_after: { values: () => [trader, 900, 50], indexes: ['revision_pkey'] },
  read_unpublished: { values: () => [500, 500], indexes: ['revision_pkey'] },
  market_find_running_source: {
    values: () => [sampleMarket.accountId, sampleMarket.symbol(3)],
    indexes: ['source_running_key'],
  },
  market_renew_sources: { values: () => [[sampleMarket.sourceId(3)], 'market-0', 5_000], indexes: ['source_pkey'] },
  market_advance_source: {
    values: () => [
      sampleMarket.sourceId(3),
      1,
      'market-0',
      '{}',
      '{}',
      'RUNNING',
      '',
      2_001,
      ...Array.from({ length: 16 }, () => []),
    ],
    indexes: ['source_pkey'],
  },
  market_trim_events: {
    values: () => [sampleMarket.accountId, sampleMarket.symbol(3), 100, 100],
    indexes: ['event_pkey', 'candle_pkey'],
  },
  market_read_events: {
    values: () => [sampleMarket.accountId, sampleMarket.symbol(3), 100],
    indexes: ['event_pkey'],
  },
  market_read_candles: {
    values: () => [sampleMarket.accountId, sampleMarket.symbol(3), 100],
    indexes: ['candle_pkey'],
  },
  find_token: { values: () => ['c4ca4238a0b923820dcc509a6f75849b'], indexes: ['token_pkey'] },
};

/** Tables that grow without bound, or with the fleet: never read from end to end for one of the above. */
const LARGE_TABLES = [
  'command',
  'history_batch',
  'history_entry',
  'executor',
  'credential',
  'token',
  'strategy',
  'revision',
  'event',
  'candle',
  'source',
  ...LARGE_TRADING_TABLES,
];

describe('with a hundred thousand commands', () => {
  test('the list of hot statements names none that is gone', () => {
    const names = new Set(statements.map(({ name }) => name));
    expect(Object.keys(HOT).filter((name) => !names.has(name))).toEqual([]);
  });

  const hot = statements.filter(({ name }) => Object.hasOwn(HOT, name));
  test.each(hot)('$name is carried by its index, planned for its values and once for all', async ({ name, text }) => {
    const { values, indexes } = HOT[name] ?? { values: () => [], indexes: [] };
    const plans = { once: await explain(', GENERIC_PLAN', text, []), values: await explain('', text, values()) };
    for (const [how, { indexes: used, scanned }] of Object.entries(plans)) {
      expect({ how, scanned: LARGE_TABLES.filter((table) => scanned.has(table)) }).toEqual({ how, scanned: [] });
      expect({ how, missing: indexes.filter((index) => !used.has(index)) }).toEqual({ how, missing: [] });
    }
  });

  test('a statement that reads a table from end to end is noticed', async () => {
    const { scanned } = await explain('', `SELECT * FROM command.command WHERE note = $1`, ['x']);
    expect([...scanned]).toEqual(['command']);
  });

  test('statistics over a window read the window, not the table', async () => {
    for (const name of ['read_timings', 'count_states_and_kinds', 'read_executor_timings']) {
      const text = statements.find((statement) => statement.name === name)?.text ?? '';
      const values = [account, null, Date.now() - 60_000, ...(name === 'read_executor_timings' ? [100] : [])];
      const { scanned, indexes } = await explain('', text, values);
      expect([...scanned]).toEqual([]);
      expect(indexes).toContain('command_create_idx');
    }
  });
});

describe('updates within the page', () => {
  async function hotShare(set: string): Promise<number> {
    const { rows: before } = await client.query<{ updates: number; hot: number }>(counters);
    await client.query(`UPDATE command.command SET ${set} WHERE sequence % 1000 = 500`);
    await client.query('SELECT pg_stat_force_next_flush()');
    const { rows: after } = await client.query<{ updates: number; hot: number }>(counters);
    const updates = (after[0]?.updates ?? 0) - (before[0]?.updates ?? 0);
    expect(updates).toBe(100);
    return ((after[0]?.hot ?? 0) - (before[0]?.hot ?? 0)) / updates;
  }
  const counters = `SELECT n_tup_upd::integer AS updates, n_tup_hot_upd::integer AS hot FROM pg_stat_user_tables
    WHERE schemaname = 'command' AND relname = 'command'`;

  test('a change of state, attempt, receipts or numbers touches no index', async () => {
    const set = `state = 'RUNNING', version = version + 1, received_time = now(), note = 'n', change_numbers = change_numbers || 7`;
    expect(await hotShare(set)).toBeGreaterThan(0.9);
  });

  test('a change of the due time does, and so would one of the state if it stood in an index', async () => {
    expect(await hotShare(`due_time = due_time + interval '1 second'`)).toBe(0);
  });
});
