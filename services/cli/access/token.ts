import type { Command } from 'commander';
import {
  CreateTokenResponseSchema,
  Role,
  type Token,
  TokenSchema,
} from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import type { Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { type Output, protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { formatTime } from '../terminal/time.ts';
import { valueName } from '../terminal/value-name.ts';
import { requireNewFile, writeSecret } from './secret-file.ts';
import { registerRecover } from './token-recover.ts';

const ROLES: Readonly<Record<string, Role>> = { viewer: Role.VIEWER, operator: Role.OPERATOR, admin: Role.ADMIN };

const EXAMPLES = `
Examples:
  $ strategos token create ci --role operator --out ci.token
  $ STRATEGOS_TOKEN=$(cat ci.token) strategos command list
  $ strategos token recover --name rescue --out rescue.token     without any token, on the platform's machine`;

/** `strategos token …`: what operators and programs call with. */
export function registerToken(program: Command, cli: Cli): void {
  const token = program
    .command('token')
    .description('make, list and revoke operator tokens')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);

  token
    .command('create')
    .description('make a token; it is shown this once')
    .argument('<name>', 'a–z, 0–9, "-", "_", "."')
    .requiredOption('--role <role>', 'viewer, operator or admin')
    .option('--account <id>', 'another account; only from the founding one')
    .option('--out <file>', 'write the token (mode 0600) in place of printing it')
    .action(async (name: string, options: { role: string; account?: string; out?: string }, command: Command) => {
      const request = { name, role: parseRole(options.role), accountId: options.account ?? '' };
      await requireNewFile(options.out);
      await cli.withClients(command, async ({ access, out }) => {
        const response = await access.createToken(request);
        const bearer = await handOverBearer(out, response.bearer, options.out);
        out.document(protoJson(CreateTokenResponseSchema, { ...response, bearer }));
      });
    });

  token
    .command('list')
    .description("list the account's tokens, without their secrets")
    .action((_options: object, command: Command) =>
      cli.withClients(command, async ({ access, out }) => {
        const { tokens } = await repeatWhileUnavailable(() => access.listTokens({}));
        for (const each of tokens) out.jsonLine(protoJson(TokenSchema, each));
        out.table(['NAME', 'ROLE', 'ACCOUNT', 'CREATED', 'REVOKED', 'ID'], tokens.map(tokenRow), 'no tokens');
      }),
    );

  token
    .command('revoke')
    .description('end a token within a second, everywhere')
    .argument('<token>', 'name or id')
    .action((name: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ access, out }) => {
        const { token: revoked } = await repeatWhileUnavailable(() => access.revokeToken({ token: name }));
        if (revoked === undefined) throw new CliError(EXIT.failed, 'the platform answered without a token');
        out.document(protoJson(TokenSchema, revoked));
        out.say(`revoked ${revoked.name} (${revoked.id})`);
      }),
    );

  registerRecover(token, cli);
}

/** Writes or prints a bearer; what is returned goes into JSON output, empty when a file has it. */
export async function handOverBearer(out: Output, bearer: string, file: string | undefined): Promise<string> {
  if (file === undefined) {
    out.say(bearer);
    if (!out.json) out.note('keep it: it is not shown again');
    return bearer;
  }
  await writeSecret(file, `${bearer}\n`);
  out.say(`wrote ${file} (mode 0600)`);
  return '';
}

/** A row of `token list`. */
export function tokenRow(token: Token): string[] {
  return [
    token.name,
    valueName(Role, token.role).toLowerCase(),
    token.accountId,
    formatTime(token.createTime) ?? '',
    formatTime(token.revokeTime) ?? '',
    token.id,
  ];
}

function parseRole(text: string): Role {
  const role = ROLES[text.toLowerCase()];
  if (role === undefined) throw usageError(`there is no role "${text}"; write ${Object.keys(ROLES).join(', ')}`);
  return role;
}
