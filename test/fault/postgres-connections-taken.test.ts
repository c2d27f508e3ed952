import { Client } from 'pg';
import { expect, test } from 'vitest';
import { postgresChecks } from '../../services/gateway/diagnosis/postgres-checks.ts';
import { theServers } from '../harness/current-run.ts';

test('a database whose connections are all taken is not told as one that is away', async () => {
  const { adminUrl } = await theServers();
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  const role = `crowded_${process.pid}`;
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0`);
  try {
    const url = new URL(adminUrl);
    url.username = role;
    url.password = 'x';
    const [reachable, ...rest] = await postgresChecks(url.href, []);
    expect(reachable).toMatchObject({ name: 'postgres.reachable', verdict: 'fault' });
    expect(reachable?.found).toContain('PostgreSQL has no connection left: too many connections for role');
    expect(reachable?.remedy).toContain('pg_stat_activity');
    expect(rest.map(({ found }) => found)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('no connection left')),
    );
  } finally {
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();
  }
});
