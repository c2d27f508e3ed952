import type { Command } from 'commander';
import { writePrivate } from '../../deploy/local/data-directory.ts';
import type { Cli } from './cli.ts';
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
      // Only this command needs a database driver.
      const { recoverOffline } = await import('./recover-offline.ts');
      const recovered = await recoverOffline(data, options.name, options.account);
      const file = options.out ?? data.tokenFile;
      if (options.out === undefined) await writePrivate(file, `${recovered.bearer}\n`);
      else await writeSecret(options.out, `${recovered.bearer}\n`);
      out.document({ id: recovered.id, accountId: recovered.accountId, name: recovered.name, file });
      out.say(
        `made the admin token ${recovered.name} for account ${recovered.accountId} and wrote it to ${file} (mode 0600)`,
      );
    });
}
