import type { Stack } from '../../services/platform/lifecycle.ts';
import type { Subject } from '../gate/checks.ts';
import { DoorProxy } from '../providers/door-proxy.ts';
import { PactVerification } from '../providers/verification.ts';

/** As many as the machines that run this have cores. */
const LANES = 2;

/** The same build several times: each with a door and a verifier of its own, which remember whom they serve. */
async function lanesOf(subject: Subject, stack: Stack): Promise<Subject[]> {
  const lane = async (): Promise<Subject> => ({
    ...subject,
    door: stack.use(await DoorProxy.start(subject.platform.gatewayUrl), (opened) => opened[Symbol.asyncDispose]()),
    verification: stack.use(new PactVerification(), (opened) => opened[Symbol.dispose]()),
  });
  return Promise.all(Array.from({ length: LANES }, lane));
}

/** Begins with all items, in order, as many at once as there are lanes. @returns what comes of each, to be awaited one by one */
export async function inLanes<T, R>(
  items: readonly T[],
  subject: Subject,
  stack: Stack,
  act: (item: T, subject: Subject) => Promise<R>,
): Promise<ReadonlyMap<T, Promise<R>>> {
  const waiting = items.map((item) => ({ item, done: Promise.withResolvers<R>() }));
  const results = new Map(waiting.map(({ item, done }) => [item, done.promise]));
  // Whoever awaits it hears of a failure; nobody may be there yet.
  for (const result of results.values()) result.catch(() => undefined);
  const run = async (lane: Subject): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { item, done } = next;
      await act(item, lane).then(done.resolve, done.reject);
    }
  };
  for (const lane of await lanesOf(subject, stack)) void run(lane);
  return results;
}
