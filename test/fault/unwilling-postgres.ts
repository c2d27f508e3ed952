import { Client } from 'pg';

/** Reaches the server whatever mood it is in: its own connection may write while others may not. */
async function asOperator(databaseUrl: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    options: '-c default_transaction_read_only=off -c statement_timeout=0',
    application_name: 'operator',
  });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Refuses every write while `work` lasts, as a server does that has become a standby, and as providers let one do whose disk is full. */
export async function whileReadOnly(databaseUrl: string, work: () => Promise<void>): Promise<void> {
  await asOperator(databaseUrl, async (client) => {
    await client.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await client.query('SELECT pg_reload_conf()');
    try {
      await work();
    } finally {
      await client.query('ALTER SYSTEM RESET default_transaction_read_only');
      await client.query('SELECT pg_reload_conf()');
    }
  });
}

/** Cancels what everybody else runs, again and again until `work` is done, as somebody does who looks for what blocks. */
export async function whileCancelling(databaseUrl: string, work: () => Promise<void>): Promise<void> {
  await asOperator(databaseUrl, async (client) => {
    const done = new AbortController();
    const cancelling = (async (): Promise<void> => {
      while (!done.signal.aborted) {
        await client.query(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
           WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND state = 'active'`,
        );
      }
    })();
    try {
      await work();
    } finally {
      done.abort();
      await cancelling;
    }
  });
}

/** Holds the table of commands while `work` lasts, as a migration or a backup by hand does. */
export async function whileLocked(databaseUrl: string, work: () => Promise<void>): Promise<void> {
  await asOperator(databaseUrl, async (client) => {
    await client.query('BEGIN');
    await client.query('LOCK TABLE command.command IN ACCESS EXCLUSIVE MODE');
    try {
      await work();
    } finally {
      await client.query('ROLLBACK');
    }
  });
}
