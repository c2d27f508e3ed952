import { messageOf } from '../../services/platform/errors.ts';
import { writeConsole } from './console-call.ts';
import { ACCESS_CALLS, COMMAND_CALLS, COMMAND_WATCHES, EXECUTOR_CALLS } from './console-command-calls.ts';
import { SESSION_CALLS, SESSION_WATCHES, STRATEGY_CALLS } from './console-trading-calls.ts';
import { ConsoleBench } from './console-page.ts';

// A process of its own: pages need a browser's globals, which nothing else here must take for a browser.
const [directory = '.'] = process.argv.slice(2);
const world = {
  calls: [...ACCESS_CALLS, ...COMMAND_CALLS, ...EXECUTOR_CALLS, ...STRATEGY_CALLS, ...SESSION_CALLS],
  watches: [...COMMAND_WATCHES, ...SESSION_WATCHES],
};
try {
  const bench = await ConsoleBench.start();
  await writeConsole(bench, world, directory);
} catch (thrown) {
  process.stderr.write(`${messageOf(thrown)}\n`);
  process.exitCode = 1;
}
// Ends the pages, and the server of their scripts, with whatever they have left running.
process.exit();
