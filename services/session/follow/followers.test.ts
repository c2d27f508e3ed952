import { expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import type { Followed } from '../domain/follower.ts';
import { Followers, type FollowersOptions } from './followers.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const optionsOf = (parts: object): FollowersOptions => Object.assign(Object.create(null), parts);

/** A stream that says where it stands, and then nothing until its signal ends it. */
async function* silence(signal: AbortSignal): AsyncGenerator<{ readonly cursor: string }> {
  yield { cursor: '' };
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function* present(): AsyncGenerator<{ readonly cursor: string }> {
  yield { cursor: 'now' };
}

test('a look that was begun before another call is waited for by the stop, and leaves no stream open', async () => {
  const clock = new ManualClock();
  const claims: ((followed: readonly Followed[]) => void)[] = [];
  const open: AbortSignal[] = [];
  const watch = (_: unknown, { signal }: { readonly signal: AbortSignal }) => {
    open.push(signal);
    return silence(signal);
  };
  const followers = new Followers(
    optionsOf({
      clock,
      logger: createLogger('test', 'silent'),
      book: {
        isFollowed: async () => false,
        begin: async () => true,
        release: async () => undefined,
        claim: () => new Promise((resolve) => claims.push(resolve)),
      },
      upstream: {
        as: (_: string, options: object) => options,
        commands: {
          watchCommands: (request: object, options: { readonly signal: AbortSignal }) =>
            'fromStart' in request ? watch(request, options) : present(),
        },
        executors: { watchVenueEvents: watch },
      },
    }),
  );
  followers.start();
  clock.advance(0);
  // The first look asks for accounts, and meanwhile a session is started in a new one.
  await followers.ensure('main');
  clock.advance(0);
  await turn();
  let isStopped = false;
  const stop = async (): Promise<void> => {
    await followers.stop();
    isStopped = true;
  };
  const stopping = stop();
  for (const claim of claims.slice(1)) claim([]);
  await turn();
  expect(isStopped).toBe(false);
  claims[0]?.([{ accountId: 'main', epoch: 1, commandCursor: '', venueCursor: '' }]);
  await stopping;
  expect(open.every((signal) => signal.aborted)).toBe(true);
});
