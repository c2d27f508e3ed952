import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { StatusError, unavailable } from '../../platform/errors.ts';
import { reasonOf } from '../../platform/grpc/status.ts';
import { Stack } from '../../platform/lifecycle.ts';
import { replicaOrder } from '../domain/replica-order.ts';
import { openTestDoor, startFakeLink, type TestDoor } from '../test-door.ts';

const SECRET = 's'.repeat(43);
const KEYS = Array.from({ length: 24 }, (_, index) => `key${index}`);

/** A link port that says its name with every answer, and is stopped by itself. */
async function namedLink(name: string, seen: (string | null)[] = []): Promise<{ url: string; stack: Stack }> {
  const stack = new Stack();
  const pollCommands = (_request: unknown, { requestHeader }: { requestHeader: Headers }) => {
    seen.push(requestHeader.get('authorization'));
    return { frames: [{ frame: { case: 'drain' as const, value: { reason: name } } }] };
  };
  return { url: await startFakeLink({ link: { pollCommands } }, stack), stack };
}

async function answeredBy(door: TestDoor, keyId: string): Promise<string> {
  const { frames } = await door.client(ExecutorLinkService, `${keyId}.${SECRET}`).pollCommands({});
  const [first] = frames;
  return first?.frame.case === 'drain' ? first.frame.value.reason : 'nobody';
}

async function replicasOf(door: TestDoor): Promise<Map<string, string>> {
  return new Map(await Promise.all(KEYS.map(async (key) => [key, await answeredBy(door, key)] as const)));
}

describe('executors that poll', () => {
  test('stay with one replica each, spread over all, and only those of a lost one move', async () => {
    const [a, b, c] = await Promise.all([namedLink('a'), namedLink('b'), namedLink('c')]);
    await using stack = new Stack();
    for (const link of [a, b, c]) stack.add(link.stack);
    await using door = await openTestDoor({ linkUrls: [a.url, b.url, c.url] });
    const before = await replicasOf(door);
    expect(new Set(before.values())).toEqual(new Set(['a', 'b', 'c']));
    expect(await replicasOf(door)).toEqual(before);
    await b.stack.stop();
    const after = await replicasOf(door);
    for (const [key, replica] of before) {
      if (replica === 'b') expect(['a', 'c']).toContain(after.get(key));
      else expect(after.get(key)).toBe(replica);
    }
  });

  test('are sent on by a replica that goes away', async () => {
    await using pair = await pairOfLinks(() => unavailable('replica', 'going away'));
    await using door = await openTestDoor({ linkUrls: pair.urls });
    expect(await answeredBy(door, pair.keyOfFailing)).toBe('other');
    expect(pair.asked()).toBe(1);
    // For a moment the one that goes away is not asked first.
    expect(await answeredBy(door, pair.keyOfFailing)).toBe('other');
    expect(pair.asked()).toBe(1);
  });

  test('are not sent on by one that was lost in the middle, because it may have acted', async () => {
    await using pair = await pairOfLinks(() => new ConnectError('lost', Code.Unavailable));
    await using door = await openTestDoor({ linkUrls: pair.urls });
    const error = await door.probe(ExecutorLinkService.method.pollCommands, `${pair.keyOfFailing}.${SECRET}`);
    expect(error?.code).toBe(Code.Unavailable);
    expect(error?.rawMessage).toContain('lost during the call');
    expect(await answeredBy(door, pair.keyOfFailing)).toBe('other');
  });

  test('present their own credential, and what the link port says comes back', async () => {
    await using stack = new Stack();
    const seen: (string | null)[] = [];
    const link = await namedLink('a', seen);
    stack.add(link.stack);
    await using door = await openTestDoor({ linkUrls: [link.url] });
    await answeredBy(door, 'k7');
    expect(seen).toEqual([`Bearer k7.${SECRET}`]);
    expect(door.logText()).not.toContain(SECRET);
  });

  test('are refused without a credential of the right form, and slowed down when guessing', async () => {
    let asked = 0;
    await using door = await openTestDoor({
      limits: { failureRate: { perSecond: 0.001, burst: 4 } },
      link: {
        pollCommands: () => {
          asked++;
          throw new StatusError('Unauthenticated', 'CREDENTIAL_REVOKED', 'ended', { metadata: { key_id: 'k1' } });
        },
      },
    });
    const poll = ExecutorLinkService.method.pollCommands;
    expect((await door.probe(poll))?.code).toBe(Code.Unauthenticated);
    expect((await door.probe(poll, door.issue('admin')))?.rawMessage).toContain('<key_id>.<secret>');
    expect(asked).toBe(0);
    for (let attempt = 0; attempt < 3; attempt++) {
      const error = await door.probe(poll, `k${attempt}.${SECRET}`);
      expect(error === undefined ? '' : reasonOf(error)).toBe('CREDENTIAL_REVOKED');
    }
    expect((await door.probe(poll, `k9.${SECRET}`))?.code).toBe(Code.ResourceExhausted);
    expect(asked).toBe(3);
  });
});

/** Two link ports, one of which fails as told, and a key whose calls go to that one first. */
async function pairOfLinks(failure: () => Error) {
  const stack = new Stack();
  let asked = 0;
  const pollCommands = (): never => {
    asked++;
    throw failure();
  };
  const failing = await startFakeLink({ link: { pollCommands } }, stack);
  const other = await namedLink('other');
  stack.add(other.stack);
  const urls = [failing, other.url];
  const keyOfFailing = KEYS.find((key) => replicaOrder(key, urls)[0] === failing);
  if (keyOfFailing === undefined) throw new Error('no key has the failing replica first');
  return { urls, keyOfFailing, asked: () => asked, [Symbol.asyncDispose]: () => stack.stop() };
}
