import { expect, test } from 'vitest';
import { runCampaign } from './campaign-run.ts';

const SEED = 20_260;
const DURATION_MS = 18_000;
const FAULT_MS_MAX = 1_500;

test('a short campaign of random faults breaks no invariant', async () => {
  const { verdict, summary, faults } = await runCampaign({
    seed: SEED,
    durationMs: DURATION_MS,
    faultMsMax: FAULT_MS_MAX,
  });
  process.stdout.write(`faults: ${faults.join(', ')}\n${summary}\n`);
  expect(verdict).toBe('');
  expect(faults.length).toBeGreaterThan(10);
});
