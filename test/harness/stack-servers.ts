import type { DataDirectory } from '../../deploy/local/data-directory.ts';
import { NatsServer } from '../../deploy/local/nats-server.ts';
import { freePort } from './port.ts';
import type { Postgres } from '../../deploy/local/postgres.ts';
import type { Stack } from '../../services/platform/lifecycle.ts';
import { Controlled } from './controlled.ts';
import { createDatabase } from './database.ts';
import { migrateAll } from './migrations.ts';
import { startTestPostgres, type TestServers } from './servers.ts';

const OWN_DATABASE = 'strategos';

/** Where a stack's services find their database; `own` is there when the test may stop and start the server. */
export interface StackDatabase {
  readonly url: string;
  readonly own: Controlled<Postgres> | undefined;
}

/** A cloned database on the shared server, or a server of its own with one migrated database. */
export async function stackDatabase(
  kind: 'shared' | 'own',
  { servers, data, stack }: { readonly servers: TestServers; readonly data: DataDirectory; readonly stack: Stack },
): Promise<StackDatabase> {
  if (kind === 'shared') {
    const database = stack.use(await createDatabase(servers), (made) => made[Symbol.asyncDispose]());
    return { url: database.url, own: undefined };
  }
  const first = await startTestPostgres(data);
  const { port } = first;
  let next: Postgres | undefined = first;
  const own = new Controlled('postgres', async () => {
    const started = next ?? (await startTestPostgres(data, { port }));
    next = undefined;
    return started;
  });
  stack.add(own);
  await own.start();
  await first.ensureDatabase(OWN_DATABASE);
  const url = first.url(OWN_DATABASE);
  await migrateAll(url);
  return { url, own };
}

/** Where a stack's services find NATS; with `none` nothing listens at the address. */
export async function stackNats(
  kind: 'shared' | 'own' | 'none',
  { servers, data, stack }: { readonly servers: TestServers; readonly data: DataDirectory; readonly stack: Stack },
): Promise<{ readonly url: string; readonly own: Controlled<NatsServer> | undefined }> {
  if (kind === 'shared') return { url: servers.natsUrl, own: undefined };
  const port = await freePort();
  if (kind === 'none') return { url: `nats://127.0.0.1:${port}`, own: undefined };
  const own = stack.add(new Controlled('nats', () => NatsServer.start({ data, port, binary: servers.natsBinary })));
  const { url } = await own.start();
  return { url, own };
}
