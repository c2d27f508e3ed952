import type { Command } from 'commander';
import { PLATFORM_DATABASE } from '../../deploy/local/platform.ts';
import { freePort } from '../../deploy/local/port.ts';
import { Postgres, runningPostgresUrl } from '../../deploy/local/postgres.ts';
import { type DataDirectory, lockDataDirectory, writePrivate } from '../../deploy/local/data-directory.ts';
import { readIfThere } from '../../deploy/local/process-record.ts';
import { recoverToken } from '../gateway/recover-token.ts';
import { createLogger } from '../platform/logger.ts';
import type { Cli } from './cli.ts';
import { CliError, EXIT } from './errors.ts';
import { requireNewFile, writeSecret } from './secret-file.ts';

interface RecoverOptions {
  readonly name: string;
  readonly account?: string;
  readonly out?: string;
}

/** `token recover`: another admin token for whoever owns the data folder, running platform or not. */
export function registerRecover(parent: Command, cli: Cli): void {
  parent
    .command('recover')
    .description('make an admin token with nothing but the data folder, when every token is lost')
    .option('--name <name>', 'name of the new token', `recovered-${Date.now().toString(36)}`)
    .option('--account <id>', 'account (the founding one without it)')
    .option('--out <file>', "write the token there (mode 0600); without it, in the data folder's token file")
    .action(async (options: RecoverOptions, command: Command) => {
      await requireNewFile(options.out);
      const data = cli.dataDirectory(command);
      const out = cli.output(command);
      const recovered = await withDatabase(data, (databaseUrl) =>
        recoverToken({
          databaseUrl,
          name: options.name,
          logger: createLogger('token-recover', 'warn'),
          ...(options.account === undefined ? {} : { accountId: options.account }),
        }),
      );
      const file = options.out ?? data.tokenFile;
      if (options.out === undefined) await writePrivate(file, `${recovered.bearer}\n`);
      else await writeSecret(options.out, `${recovered.bearer}\n`);
      out.document({ id: recovered.id, accountId: recovered.accountId, name: recovered.name, file });
      out.say(
        `made the admin token ${recovered.name} for account ${recovered.accountId} and wrote it to ${file} (mode 0600)`,
      );
    });
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
