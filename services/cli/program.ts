import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { hasCode } from '../../deploy/local/process-record.ts';
import { registerAccount } from './access/account.ts';
import { registerToken } from './access/token.ts';
import { registerAlert } from './alert.ts';
import { registerBacktest } from './backtest/backtest.ts';
import { Cli, globals } from './cli.ts';
import { registerCommand } from './command/command.ts';
import { registerContracts } from './contracts/contracts.ts';
import { registerDoctor } from './doctor/doctor.ts';
import { registerExecutor } from './executor/executor.ts';
import { registerInstance } from './instance/instance.ts';
import { registerMarket } from './market/market.ts';
import { registerMetrics } from './metrics/metrics.ts';
import { registerSession } from './session/session.ts';
import { registerStatus } from './status.ts';
import { registerStrategy } from './strategy/strategy.ts';
import { EXIT, failureOf } from './terminal/errors.ts';
import { Output } from './terminal/output.ts';
import { registerUp } from './up.ts';

const EXAMPLES = `
Examples:
  $ strategos up                                              the whole platform on this machine
  $ strategos executor create vps-1 --out vps-1.json          register an executor
  $ strategos executor run --credentials vps-1.json           run a paper executor here
  $ strategos command send vps-1 ping --wait 5s               issue a command and wait for its end
  $ strategos command explain ID                              why does nothing happen?

The address and the token come from --url and --token, STRATEGOS_URL and STRATEGOS_TOKEN, or the folder that
"strategos up" keeps its data in (.strategos, --data, STRATEGOS_DATA).
Exit codes: 0 done, 1 the command or the call failed, 2 usage, 4 --wait ran out.`;

/** Runs the program with the arguments of a process and returns its exit code. Prints every failure itself, in sentences. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const cli = new Cli();
  endQuietlyWithReader(cli);
  const program = buildProgram(cli);
  let ended = false;
  const fail = (thrown: unknown): number => {
    if (thrown instanceof CommanderError) return exitCodeOf(thrown);
    const failure = failureOf(thrown, cli.url);
    new Output(globals(program).json === true).failure(failure);
    return failure.exitCode;
  };
  // A connection that is being given up may still fail; nobody waits for it any more.
  process.on('uncaughtException', (thrown) => {
    if (!ended) process.exit(fail(thrown));
  });
  try {
    await program.parseAsync([...argv]);
    return EXIT.done;
  } catch (thrown) {
    return fail(thrown);
  } finally {
    ended = true;
  }
}

/** Every noun, verb and option; nothing runs before it is parsed. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('strategos')
    .description('Control plane between a trading platform and its fleet of remote executors')
    .version(version(), '--version', 'print the version')
    .option('--json', 'proto JSON for programs: one document, or one per line for lists and watches')
    .option('--url <url>', 'address of the gateway (STRATEGOS_URL)')
    .option('--token <token>', 'operator token (STRATEGOS_TOKEN)')
    .option('--data <dir>', 'data folder of the local platform (STRATEGOS_DATA)')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(add --help for help)')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  // Before the subcommands, which inherit it.
  program.exitOverride();
  registerUp(program, cli);
  registerStatus(program, cli);
  registerDoctor(program, cli);
  registerExecutor(program, cli);
  registerCommand(program, cli);
  registerStrategy(program, cli);
  registerMarket(program, cli);
  registerSession(program, cli);
  registerInstance(program, cli);
  registerBacktest(program, cli);
  registerAlert(program, cli);
  registerMetrics(program, cli);
  registerToken(program, cli);
  registerAccount(program, cli);
  registerContracts(program, cli);
  return program;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

/** The program's own words were printed by commander already. */
function exitCodeOf(thrown: CommanderError): number {
  // Help that was asked for is success; help for want of a subcommand is not.
  return thrown.code === 'commander.helpDisplayed' || thrown.code === 'commander.version' ? EXIT.done : EXIT.usage;
}

/**
 * `strategos command list | head` ends like any other program in a pipe. A platform goes on until it is told to stop, whether
 * anybody reads what it says or not, and also when the disk has no room for it.
 */
function endQuietlyWithReader(cli: Cli): void {
  const onError = (thrown: Error): void => {
    if (cli.outlivesReader) return;
    if (!hasCode(thrown, 'EPIPE', 'EIO')) throw thrown;
    process.exit(EXIT.done);
  };
  process.stdout.on('error', onError);
  process.stderr.on('error', onError);
}
