import type { Command } from 'commander';
import { messageOf } from '../../platform/errors.ts';
import { type Cli, globals } from '../cli.ts';
import { connectClients } from '../client.ts';
import { type GlobalOptions, resolveSettings, resolveUrl } from '../settings.ts';
import type { Output } from '../terminal/output.ts';
import { canaryFinding } from './canary.ts';
import { type Finding, ill, isHealthy, skipped, well } from './finding.ts';
import { executorFindings, fanOutFinding, marketFindings } from './fleet.ts';
import { networkFindings } from './network.ts';
import { gatewayFinding, insideFindings, tokenFinding } from './platform.ts';
import { report } from './report.ts';

const CANARIES_MAX = 20;

/** `strategos doctor`: where it hangs, step by step from here to the last executor. */
export function registerDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('look at everything between here and the executors, and say what is wrong and what to do')
    .option('--no-canary', 'send no ping to the executors')
    .action(async (options: { canary: boolean }, command: Command) => {
      const out = cli.output(command);
      await report(out, diagnosis(globals(command), options.canary, out));
    });
}

async function* diagnosis(options: GlobalOptions, canary: boolean, out: Output): AsyncGenerator<Finding> {
  const startMs = performance.now();
  let url: string;
  try {
    url = await resolveUrl(options);
  } catch (thrown) {
    const words = {
      found: messageOf(thrown),
      meaning: 'this machine does not know which platform is meant',
      next: 'strategos up, or set --url or STRATEGOS_URL',
    };
    yield ill('configuration', 'fault', words, performance.now() - startMs);
    return;
  }
  yield well('configuration', `the platform is at ${url}`, performance.now() - startMs);
  const network = await networkFindings(url, { step: (part) => part, correct: 'correct --url or STRATEGOS_URL' });
  yield* network;
  if (!isHealthy(network)) return;
  const gateway = await gatewayFinding(url);
  yield gateway;
  let token: string;
  try {
    ({ token } = await resolveSettings(options));
  } catch (thrown) {
    const words = {
      found: messageOf(thrown),
      meaning: 'nothing more can be asked',
      next: 'set STRATEGOS_TOKEN or --token',
    };
    yield ill('token', 'fault', words, 0);
    return;
  }
  using clients = connectClients(url, token);
  const tokenAnswer = await tokenFinding(clients);
  yield tokenAnswer;
  if (tokenAnswer.verdict === 'fault') {
    yield skipped('inside', 'the platform tells only who has a token');
    return;
  }
  yield* await insideFindings(clients);
  yield await fanOutFinding(clients);
  yield* await marketFindings(clients);
  const { findings, online } = await executorFindings(clients);
  yield* findings;
  if (!canary) return;
  for (const { name } of online.slice(0, CANARIES_MAX)) yield await canaryFinding(clients, name, out);
  if (online.length > CANARIES_MAX) {
    yield skipped('canary', `${online.length - CANARIES_MAX} more executors are online and were not pinged`);
  }
}
