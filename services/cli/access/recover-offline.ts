import { type DataDirectory, lockDataDirectory } from '../../../deploy/local/data-directory.ts';
import { PLATFORM_DATABASE } from '../../../deploy/local/platform.ts';
import { freePort } from '../../../deploy/local/port.ts';
import { Postgres, runningPostgresUrl } from '../../../deploy/local/postgres.ts';
import { readIfThere } from '../../../deploy/local/process-record.ts';
import { recoverToken } from '../../gateway/recover-token.ts';
import { createLogger } from '../../platform/logger.ts';
import { CliError, EXIT } from '../terminal/errors.ts';

/** Makes an admin token in a database, given by its URL or as that of a data folder, whether its platform runs or not. */
export function recoverOffline(where: string | DataDirectory, name: string, accountId: string | undefined) {
  const recover = (databaseUrl: string) =>
    recoverToken({
      databaseUrl,
      name,
      logger: createLogger('token-recover', 'warn'),
      ...(accountId === undefined ? {} : { accountId }),
    });
  return typeof where === 'string' ? recover(where) : withDatabase(where, recover);
}

/** Uses the database of a running platform, or starts it for the moment. */
async function withDatabase<T>(data: DataDirectory, use: (databaseUrl: string) => Promise<T>): Promise<T> {
  const running = await runningPostgresUrl(data, PLATFORM_DATABASE);
  if (running !== undefined) return use(running);
  if ((await readIfThere(`${data.root}/postgres.password`)) === undefined) {
    throw new CliError(EXIT.failed, `no platform has been started on ${data.root}; name its folder with --data DIR`);
  }
  const unlock = await lockDataDirectory(data);
  try {
    await using postgres = await Postgres.start({ data, port: await freePort() });
    await postgres.ensureDatabase(PLATFORM_DATABASE);
    return await use(postgres.url(PLATFORM_DATABASE));
  } finally {
    await unlock();
  }
}
