import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { registerList } from './list.ts';
import { registerLook } from './look.ts';
import { registerSend } from './send.ts';
import { registerSettle } from './settle.ts';
import { registerStats } from './stats.ts';
import { registerWatch } from './watch.ts';

const EXAMPLES = `
Examples:
  $ strategos command send vps-1 open_position '{"session_id": "s-1", "symbol": "BTC_USDT", "side": "buy", "quantity": "0.01"}' --wait 10s
  $ strategos command list --executor vps-1 --state pending sent
  $ strategos command explain 0198c2f4-…
  $ strategos command settle 0198c2f4-… --did-not-happen --note "no order of 09:14 in the venue's list"
  $ strategos command watch --executor vps-1 --json`;

/** `strategos command …`: issue commands and see where they are. */
export function registerCommand(program: Command, cli: Cli): void {
  const command = program
    .command('command')
    .description('issue commands, and see where they are and why')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  registerSend(command, cli);
  registerLook(command, cli);
  registerSettle(command, cli);
  registerList(command, cli);
  registerWatch(command, cli);
  registerStats(command, cli);
}
