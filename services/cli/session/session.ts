import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { registerChanges } from './change.ts';
import { registerLooks } from './look.ts';
import { registerStart } from './start.ts';
import { registerHalt, registerStopAll } from './stop-all.ts';
import { registerWatch } from './watch.ts';

const EXAMPLES = `
Examples:
  $ strategos session start --mode paper --executor vps-1 --balance 10000 --strategy my_pump --symbol BTC_USDT
  $ strategos session watch 0198c2f4-…
  $ strategos session positions --open
  $ strategos session stop 0198c2f4-… --close-positions
  $ strategos session stop-all --wait 10s                     the kill switch`;

/** `strategos session …`: which strategies trade which symbols on which executor, and what comes of it. */
export function registerSession(program: Command, cli: Cli): void {
  const session = program
    .command('session')
    .description('start and stop trading, and see signals, positions and results')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  registerStart(session, cli);
  registerChanges(session, cli);
  registerLooks(session, cli);
  registerWatch(session, cli);
  registerStopAll(session, cli);
  registerHalt(session, cli);
}
