import { copyFileSync, mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startServers } from '../harness/servers.ts';
import { runCampaign } from './campaign-run.ts';

// `npm run campaign -- --seed N --minutes M`: random faults under load until the time is over or an invariant is broken.

const ROUND_MS = 60_000;
const FAULT_MS_MAX = 8_000;
const RESULTS_DIRECTORY = 'test-results';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, minutes: { type: 'string', default: '5' } },
});
const seed = Number(values.seed);
const minutes = Number(values.minutes);
if (!Number.isSafeInteger(seed) || !(minutes > 0)) {
  process.stderr.write('usage: npm run campaign -- --seed NUMBER --minutes NUMBER\n');
  process.exit(2);
}

const { servers, running } = await startServers();
try {
  const endMs = performance.now() + minutes * 60_000;
  for (let round = 0; performance.now() < endMs; round++) {
    const durationMs = Math.max(5_000, Math.min(ROUND_MS, endMs - performance.now()));
    const options = { seed: seed + round, durationMs, faultMsMax: FAULT_MS_MAX, servers };
    process.stdout.write(`round ${round}, seed ${options.seed}\n`);
    const result = await runCampaign({
      ...options,
      onFault: (name) => process.stdout.write(`  ${new Date().toISOString().slice(11, 23)} ${name}\n`),
      onHistory: keep(options.seed),
    });
    process.stdout.write(`  ${result.summary}\n`);
    if (result.verdict === '') continue;
    process.stdout.write(`${result.verdict}\n`);
    process.exitCode = 1;
    break;
  }
} finally {
  await running.stop();
}

/** Keeps a round's recorded history: the verdict can be asked for again from it. */
function keep(roundSeed: number): (file: string) => void {
  return (file) => {
    mkdirSync(RESULTS_DIRECTORY, { recursive: true });
    const kept = `${RESULTS_DIRECTORY}/campaign-${roundSeed}.jsonl`;
    copyFileSync(file, kept);
    process.stdout.write(`  history in ${kept}\n`);
  };
}
