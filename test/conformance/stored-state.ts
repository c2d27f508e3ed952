import { Client } from 'pg';

/** Tables that live by themselves, whatever is asked of the services, and why. */
const ALIVE: Readonly<Record<string, string>> = {
  'alert.watch': 'a lease, and when somebody has looked',
  'alert.alert': 'comes and goes with what is found, such as an executor that is away',
  'alert.notice': 'what is told of them',
  'command.refusal': 'that an executor was called for and refused, and why, is all that is kept of such a call',
  'command.replica': 'heartbeats',
  'evaluator.replica': 'leases',
  'evaluator.cache_state': 'each evaluator writes again and again how far it has come',
  'session.follower': 'leases, and how far others have been followed',
  'session.work': 'leases, and when to look again',
  'strategy.outbox': 'what has been published leaves it',
};

const TABLES = `
  SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'pgmigrations'
    AND schemaname || '.' || tablename <> ALL($1) ORDER BY 1`;

/** Rows and content of every table, those apart that live by themselves, and each account's place in its history. */
export interface StoredState {
  readonly [table: string]: string;
}

/** Looks past the services at what is stored. */
export class StoredStateReader implements AsyncDisposable {
  readonly #database: Client;

  private constructor(database: Client) {
    this.#database = database;
  }

  static async open(databaseUrl: string): Promise<StoredStateReader> {
    const database = new Client({ connectionString: databaseUrl });
    await database.connect();
    return new StoredStateReader(database);
  }

  /** Equal readings mean that nothing was stored, changed or removed in between. */
  async read(): Promise<StoredState> {
    const state: Record<string, string> = {};
    const tables = await this.#database.query<{ name: string }>(TABLES, [Object.keys(ALIVE)]);
    for (const { name } of tables.rows) {
      const { rows } = await this.#database.query<{ count: string; digest: string | null }>(
        `SELECT count(*) AS count, md5(string_agg(row_text, E'\\n' ORDER BY row_text)) AS digest
         FROM (SELECT t::text AS row_text FROM ${name} t) AS rows`,
      );
      state[name] = `${rows[0]?.count ?? '?'} rows, ${rows[0]?.digest ?? 'empty'}`;
    }
    const accounts = await this.#database.query<{ id: string; event_number: string }>(
      'SELECT id, event_number FROM command.account ORDER BY id',
    );
    for (const { id, event_number: number } of accounts.rows) state[`event_number of ${id}`] = number;
    return state;
  }

  /** Changes what is stored past the services, as time and failures would. */
  async change(sql: string, values: readonly unknown[]): Promise<void> {
    await this.#database.query(sql, [...values]);
  }

  /** Every row of every table as text, for searches. */
  async texts(): Promise<string[]> {
    const texts: string[] = [];
    const tables = await this.#database.query<{ name: string }>(TABLES, [Object.keys(ALIVE)]);
    for (const { name } of tables.rows) {
      const { rows } = await this.#database.query<{ row_text: string }>(`SELECT t::text AS row_text FROM ${name} t`);
      texts.push(...rows.map((row) => `${name}: ${row.row_text}`));
    }
    return texts;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#database.end();
  }
}
