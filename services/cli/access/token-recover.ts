import type { Command } from 'commander';
import { writePrivate } from '../../../deploy/local/data-directory.ts';
import { readEnv } from '../../platform/environment.ts';
import type { Cli } from '../cli.ts';
import { usageError } from '../terminal/errors.ts';
import { requireNewFile, writeSecret } from './secret-file.ts';

interface RecoverOptions {
  readonly name: string;
  readonly account?: string;
  readonly out?: string;
  readonly database?: boolean;
}

/** `token recover`: another admin token for whoever owns the database, running platform or not. */
export function registerRecover(parent: Command, cli: Cli): void {
  parent
    .command('recover')
    .description('make an admin token with nothing but the data folder, when every token is lost')
    .option('--name <name>', 'name of the new token', `recovered-${Date.now().toString(36)}`)
    .option('--account <id>', 'account (the founding one without it)')
    .option('--out <file>', "write the token there (mode 0600); without it, in the data folder's token file")
    .option('--database', "in the database that DATABASE_URL names, in place of the data folder's; needs --out")
    .action(async (options: RecoverOptions, command: Command) => {
      await requireNewFile(options.out);
      const databaseUrl = options.database === true ? namedDatabase(options.out) : undefined;
      const data = cli.dataDirectory(command);
      const out = cli.output(command);
      // Only this command needs a database driver.
      const { recoverOffline } = await import('./recover-offline.ts');
      const recovered = await recoverOffline(databaseUrl ?? data, options.name, options.account);
      const file = options.out ?? data.tokenFile;
      if (options.out === undefined) await writePrivate(file, `${recovered.bearer}\n`);
      else await writeSecret(options.out, `${recovered.bearer}\n`);
      out.document({ id: recovered.id, accountId: recovered.accountId, name: recovered.name, file });
      out.say(
        `made the admin token ${recovered.name} for account ${recovered.accountId} and wrote it to ${file} (mode 0600)`,
      );
    });
}

/** From the environment, because other users of the machine may read a command line. */
function namedDatabase(file: string | undefined): string {
  if (file === undefined) throw usageError('--database needs --out FILE: the token is not for the data folder');
  const databaseUrl = readEnv()['DATABASE_URL'];
  if (databaseUrl === undefined || databaseUrl === '') throw usageError('--database needs DATABASE_URL to be set');
  return databaseUrl;
}
