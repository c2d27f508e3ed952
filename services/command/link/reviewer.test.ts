import { expect, test } from 'vitest';
import { watchedSession, type WatchedSession } from '../../../test/harness/watched-session.ts';
import { createLogger } from '../../platform/logger.ts';
import type { StreamFacts } from '../store/link-store.ts';
import { SessionRegistry } from './registry.ts';
import { StreamReviewer } from './reviewer.ts';

interface Stored {
  readonly facts: Partial<StreamFacts>;
  /** Undefined where the credential does not exist. */
  readonly credentialEndMs: number | null | undefined;
}

/** One review of the session's executor. `stored` is asked at each read, the first of which is of the executor. */
async function review({ session, clock }: WatchedSession, stored: (read: number) => Stored): Promise<void> {
  const { executorId, epoch, journalId, host, keyId } = session.identity;
  const registry = new SessionRegistry(() => undefined);
  registry.add(session);
  let reads = 0;
  const factsNow = (): StreamFacts[] => [
    { executorId, epoch, journalId, host, disabled: false, change: String(reads), ...stored(reads++).facts },
  ];
  const reviewer = new StreamReviewer({
    clock,
    logger: createLogger('test', 'silent'),
    registry,
    looked: () => undefined,
    stored: {
      factsOf: () => Promise.resolve(factsNow()),
      changedWithin: () => Promise.resolve(factsNow()),
      credentialEnds: () => {
        const { credentialEndMs } = stored(reads++);
        return Promise.resolve(new Map(credentialEndMs === undefined ? [] : [[keyId, credentialEndMs]]));
      },
    },
  });
  reviewer.review(executorId);
  await reviewer.stop();
}

test.each<[string, Stored, string[]]>([
  ['goes on', { facts: {}, credentialEndMs: null }, []],
  ['goes on until its credential ends', { facts: {}, credentialEndMs: Date.UTC(2100, 0) }, []],
  ['ends with its credential', { facts: {}, credentialEndMs: 0 }, ['credential k1 has ended']],
  ['ends without its credential', { facts: {}, credentialEndMs: undefined }, ['credential k1 has ended']],
  ['ends when disabled', { facts: { disabled: true }, credentialEndMs: 0 }, ['executor disabled']],
  [
    'ends for a newer one',
    { facts: { epoch: 4, journalId: 'j2', host: 'other' }, credentialEndMs: null },
    ['superseded by stream 4 from other'],
  ],
])('a stream %s', async (_, stored, ends) => {
  const watched = watchedSession();
  await review(watched, () => stored);
  expect(watched.ends).toEqual(ends);
});

test('disabled between the look at the executor and the look at its credential, it is told so', async () => {
  const watched = watchedSession();
  await review(watched, (read) => {
    // As every 250 ms, also while a look is under way.
    watched.session.tick(watched.clock.nowMs());
    return read === 0 ? { facts: {}, credentialEndMs: null } : { facts: { disabled: true }, credentialEndMs: 0 };
  });
  expect(watched.ends).toEqual(['executor disabled']);
});
