import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { registerDiff } from './diff.ts';
import { registerLooks } from './look.ts';
import { registerWrites } from './write.ts';

const EXAMPLES = `
Examples:
  $ strategos strategy validate pump.json
  $ strategos strategy create pump.json
  $ strategos strategy get my_pump_strategy --out pump.json
  $ strategos strategy update my_pump_strategy pump.json --revision 7
  $ strategos strategy diff my_pump_strategy --limit 5
  $ strategos strategy rollout my_pump_strategy`;

/** `strategos strategy …`: what is traded by which rules. */
export function registerStrategy(program: Command, cli: Cli): void {
  const strategy = program
    .command('strategy')
    .description('write strategies, see what changed, and which revision runs where')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  registerWrites(strategy, cli);
  registerLooks(strategy, cli);
  registerDiff(strategy, cli);
}
