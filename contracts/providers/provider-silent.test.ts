import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PACTS } from '../releases/release.ts';
import { readPact } from './pact-file.ts';
import { PactVerification, verificationOf } from './verification.ts';

test('of a provider that gives no answer it is said why', async () => {
  using verification = new PactVerification();
  const pactFile = join(PACTS, 'platform-executor.json');
  const { interactions, provider } = await readPact(pactFile);
  const request = { ...verificationOf(pactFile, provider.name, interactions), messages: {} };
  const silent = { answer: () => Promise.reject(new Error('the agent says nothing within 3000 ms')) };
  const mismatches = await verification.verify({ ...request, providerBaseUrl: 'http://127.0.0.1:9' }, silent);
  expect(mismatches.map(({ what }) => what)).toEqual(interactions.map(() => 'the agent says nothing within 3000 ms'));
});
