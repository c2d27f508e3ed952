import type { Command } from 'commander';
import { CreateAccountResponseSchema } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import type { Cli } from '../cli.ts';
import { protoJson } from '../terminal/output.ts';
import { requireNewFile } from './secret-file.ts';
import { handOverBearer } from './token.ts';

const EXAMPLES = `
Example:
  $ strategos account create desk-2 --out desk-2.token`;

/** `strategos account …`: tenants, each with executors, commands and tokens of its own. */
export function registerAccount(program: Command, cli: Cli): void {
  const account = program
    .command('account')
    .description('open accounts')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  account
    .command('create')
    .description('open an account together with its first admin token; only from the founding account')
    .argument('<name>', 'a–z, 0–9, "-", "_", "."; it is the account’s id')
    .option('--out <file>', 'write the token (mode 0600) in place of printing it')
    .action(async (name: string, options: { out?: string }, command: Command) => {
      await requireNewFile(options.out);
      await cli.withClients(command, async ({ access, out }) => {
        const response = await access.createAccount({ accountId: name });
        const bearer = await handOverBearer(out, response.bearer, options.out);
        out.document(protoJson(CreateAccountResponseSchema, { ...response, bearer }));
      });
    });
}
