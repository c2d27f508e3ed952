import { describe, expect, test } from 'vitest';
import { StatusError } from '../../platform/errors.ts';
import { bearerValue, isExecutorCredential, issueBearer, parseBearer } from './bearer.ts';
import { FailureGuard } from './failure-guard.ts';
import { nameViolations } from './name.ts';
import { replicaOrder } from './replica-order.ts';
import { requireRole, ROLES, roleIncludes } from './role.ts';
import { Slots } from './slots.ts';
import {
  accountForNewToken,
  checkPresented,
  newTokenViolations,
  requireFoundingAccount,
  type StoredToken,
} from './token.ts';

const ID = '0123456789abcdef0123456789abcdef';

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (thrown) {
    return thrown instanceof StatusError ? `${thrown.code} ${thrown.reason}` : String(thrown);
  }
}

describe('bearer', () => {
  test('what is issued can be read back, and is different every time', () => {
    const issued = issueBearer(ID);
    expect(issued.bearer).toMatch(/^sop_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
    expect(parseBearer(issued.bearer)).toEqual({ tokenId: ID, secretDigest: issued.secretDigest });
    expect(issueBearer(ID).bearer).not.toBe(issued.bearer);
  });

  test.each(['', 'sop_', `sop_${ID}`, `sop_${ID}_short`, `xop_${ID}_${'a'.repeat(43)}`, `sop_${ID}_${'a'.repeat(44)}`])(
    '%s is none',
    (value) => {
      expect(parseBearer(value)).toBeUndefined();
    },
  );

  test.each([
    ['Bearer abc', 'abc'],
    ['bearer   abc ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [null, undefined],
  ])('header %s → %s', (header, expected) => {
    expect(bearerValue(header)).toBe(expected);
  });

  test('an executor credential is told apart', () => {
    expect(isExecutorCredential(`k1.${'a'.repeat(43)}`)).toBe(true);
    expect(isExecutorCredential(issueBearer(ID).bearer)).toBe(false);
  });
});

describe('checkPresented', () => {
  const issued = issueBearer(ID);
  const stored: StoredToken = {
    id: ID,
    accountId: 'main',
    name: 'ci',
    role: 'viewer',
    secretDigest: issued.secretDigest,
    createTimeMs: 0,
    revokeTimeMs: undefined,
  };

  test('takes the right secret only', () => {
    expect(checkPresented(issued, stored)).toBe(stored);
    expect(codeOf(() => checkPresented(issueBearer(ID), stored))).toBe('Unauthenticated CREDENTIAL_INVALID');
    expect(codeOf(() => checkPresented(issued, undefined))).toBe('Unauthenticated CREDENTIAL_INVALID');
  });

  test('a digest of zeros does not open what does not exist', () => {
    const zeros = { tokenId: ID, secretDigest: Buffer.alloc(32) };
    expect(codeOf(() => checkPresented(zeros, undefined))).toBe('Unauthenticated CREDENTIAL_INVALID');
  });

  test('says revoked only to who has the secret', () => {
    const revoked = { ...stored, revokeTimeMs: 5 };
    expect(codeOf(() => checkPresented(issued, revoked))).toBe('Unauthenticated CREDENTIAL_REVOKED');
    expect(codeOf(() => checkPresented(issueBearer(ID), revoked))).toBe('Unauthenticated CREDENTIAL_INVALID');
  });
});

describe('rules', () => {
  test('roles include those before them', () => {
    const table = ROLES.map((actual) => ROLES.map((required) => roleIncludes(actual, required)));
    expect(table).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
    expect(codeOf(() => requireRole('viewer', 'operator', 'X'))).toBe('PermissionDenied ROLE_INSUFFICIENT');
  });

  test.each(['a', 'desk-2', 'ci.prod_1', 'x'.repeat(63)])('name %s is fine', (name) => {
    expect(nameViolations('name', name)).toEqual([]);
  });

  test.each(['', 'A', 'a b', 'ä', 'x'.repeat(64), 'a/b', ID])('name %j is refused with its field', (name) => {
    expect(nameViolations('account_id', name)).toMatchObject([{ field: 'account_id' }]);
  });

  test('a new token lists all that is wrong with it', () => {
    expect(newTokenViolations({ name: '', role: undefined }).map(({ field }) => field)).toEqual(['name', 'role']);
  });

  test('other accounts exist for the founding one alone', () => {
    expect(accountForNewToken('desk', '')).toBe('desk');
    expect(accountForNewToken('desk', 'desk')).toBe('desk');
    expect(accountForNewToken('main', 'desk')).toBe('desk');
    expect(codeOf(() => accountForNewToken('desk', 'main'))).toBe('NotFound RESOURCE_NOT_FOUND');
    expect(codeOf(() => requireFoundingAccount('desk'))).toBe('PermissionDenied ROLE_INSUFFICIENT');
    expect(codeOf(() => requireFoundingAccount('main'))).toBe('none');
  });
});

describe('Slots', () => {
  test('gives as many as there are, and each back once', () => {
    const slots = new Slots(2);
    const [first, second] = [slots.acquire('a'), slots.acquire('a')];
    expect([first, second]).not.toContain(undefined);
    expect(slots.acquire('a')).toBeUndefined();
    expect(slots.acquire('b')).toBeDefined();
    first?.();
    first?.();
    expect(slots.open('a')).toBe(1);
    expect(slots.acquire('a')).toBeDefined();
    expect(slots.acquire('a')).toBeUndefined();
  });
});

describe('FailureGuard', () => {
  test('slows an address down and forgives with time', () => {
    const guard = new FailureGuard({ perSecond: 1, burst: 2 });
    guard.failed('10.0.0.1', 'x', 0);
    expect(guard.waitMs('10.0.0.1', 'x', 0)).toBe(0);
    guard.failed('10.0.0.1', 'x', 0);
    expect(guard.waitMs('10.0.0.1', 'y', 0)).toBe(1_000);
    expect(guard.waitMs('10.0.0.2', 'y', 0)).toBe(0);
    expect(guard.waitMs('10.0.0.1', 'y', 1_000)).toBe(0);
  });

  test('what was right a while ago goes on for ten minutes, until it is wrong', () => {
    const guard = new FailureGuard({ perSecond: 0.0001, burst: 1 });
    guard.succeeded('good', 0);
    guard.failed('10.0.0.1', 'bad', 0);
    expect(guard.waitMs('10.0.0.1', 'good', 599_999)).toBe(0);
    expect(guard.waitMs('10.0.0.1', 'good', 600_000)).toBeGreaterThan(0);
    guard.succeeded('good', 600_000);
    guard.failed('10.0.0.1', 'good', 600_000);
    expect(guard.waitMs('10.0.0.1', 'good', 600_001)).toBeGreaterThan(0);
  });
});

describe('replicaOrder', () => {
  const replicas = ['http://a', 'http://b', 'http://c'];
  const keys = Array.from({ length: 300 }, (_, index) => `key${index}`);

  test('is the same whatever the order of the list, and spreads evenly', () => {
    const firsts = new Map<string, number>();
    for (const key of keys) {
      const order = replicaOrder(key, replicas);
      expect(replicaOrder(key, replicas.toReversed())).toEqual(order);
      expect(order.toSorted()).toEqual(replicas);
      firsts.set(order[0] ?? '', (firsts.get(order[0] ?? '') ?? 0) + 1);
    }
    for (const replica of replicas) expect(firsts.get(replica)).toBeGreaterThan(60);
  });

  test('without one replica, the others keep theirs', () => {
    for (const key of keys) {
      const [first, second] = replicaOrder(key, replicas);
      const without = replicaOrder(
        key,
        replicas.filter((replica) => replica !== 'http://b'),
      );
      expect(without[0]).toBe(first === 'http://b' ? second : first);
    }
  });
});
