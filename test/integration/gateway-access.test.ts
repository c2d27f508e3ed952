import { Code } from '@connectrpc/connect';
import { Client } from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { reasonMetadataOf, reasonOf, violationsOf } from '../../services/platform/grpc/status.ts';
import { openGateways, refusal } from './gateway-harness.ts';

/** Within this time a revocation holds on every replica. */
const REVOKED_EVERYWHERE_MS = 1_000;

describe('tokens', () => {
  test('are made, listed without secrets, and revoked', async () => {
    await using gateways = await openGateways();
    const founder = await gateways.founderAt(await gateways.start());
    const made = await founder.createToken({ name: 'ci', role: Role.OPERATOR });
    expect(made.bearer).toMatch(/^sop_[0-9a-f]{32}_/);
    expect(made.token).toMatchObject({ accountId: 'main', name: 'ci', role: Role.OPERATOR });
    const { tokens } = await founder.listTokens({});
    expect(tokens.map(({ name, role }) => [name, role])).toEqual([
      ['founder', Role.ADMIN],
      ['ci', Role.OPERATOR],
    ]);
    expect(
      JSON.stringify(tokens, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain(made.bearer.slice(-43));
    const ci = gateways.access(gateways.urls[0] ?? '', made.bearer);
    expect((await ci.whoAmI({})).token).toMatchObject({ id: made.token?.id, name: 'ci' });
    const first = await founder.revokeToken({ token: 'ci' });
    expect(first.token?.revokeTime).toBeDefined();
    const again = await founder.revokeToken({ token: made.token?.id ?? '' });
    expect(again.token?.revokeTime).toEqual(first.token?.revokeTime);
    const refused = await refusal(ci.whoAmI({}));
    expect([refused.code, reasonOf(refused)]).toEqual([Code.Unauthenticated, 'CREDENTIAL_REVOKED']);
    // A revoked token frees its name.
    expect((await founder.createToken({ name: 'ci', role: Role.VIEWER })).token?.id).not.toBe(made.token?.id);
    expect(gateways.logText()).not.toContain(made.bearer.slice(-43));
  });

  test('a revocation holds on every replica within a second', async () => {
    await using gateways = await openGateways();
    const [here, there] = [await gateways.start(), await gateways.start()];
    const founder = await gateways.founderAt(here);
    const { bearer } = await founder.createToken({ name: 'short', role: Role.VIEWER });
    const elsewhere = gateways.access(there, bearer);
    await elsewhere.whoAmI({});
    await founder.revokeToken({ token: 'short' });
    const revokedAtMs = performance.now();
    await vi.waitFor(
      async () => {
        const error = await refusal(elsewhere.whoAmI({}));
        expect(reasonOf(error)).toBe('CREDENTIAL_REVOKED');
      },
      { timeout: REVOKED_EVERYWHERE_MS, interval: 20 },
    );
    expect(performance.now() - revokedAtMs).toBeLessThanOrEqual(REVOKED_EVERYWHERE_MS);
  });

  test('bad, taken and unknown names are refused by name', async () => {
    await using gateways = await openGateways();
    const founder = await gateways.founderAt(await gateways.start());
    const bad = await refusal(founder.createToken({ name: 'Not A Name' }));
    expect(bad.code).toBe(Code.InvalidArgument);
    expect(violationsOf(bad).map(({ field }) => field)).toEqual(['name', 'role']);
    const taken = await refusal(founder.createToken({ name: 'founder', role: Role.VIEWER }));
    expect([taken.code, reasonOf(taken)]).toEqual([Code.AlreadyExists, 'NAME_TAKEN']);
    expect((await refusal(founder.revokeToken({ token: 'nobody' }))).code).toBe(Code.NotFound);
    expect((await refusal(founder.revokeToken({}))).code).toBe(Code.InvalidArgument);
    expect((await refusal(founder.createToken({ name: 'a', role: Role.VIEWER, accountId: 'nowhere' }))).code).toBe(
      Code.NotFound,
    );
  });

  test('the last admin of an account stays, also when two are revoked at once', async () => {
    await using gateways = await openGateways();
    const url = await gateways.start();
    const founder = await gateways.founderAt(url);
    const last = await refusal(founder.revokeToken({ token: 'founder' }));
    expect([last.code, reasonOf(last), reasonMetadataOf(last)['state']]).toEqual([
      Code.FailedPrecondition,
      'STATE_ILLEGAL',
      'LAST_ADMIN',
    ]);
    const second = gateways.access(url, (await founder.createToken({ name: 'second', role: Role.ADMIN })).bearer);
    const outcomes = await Promise.allSettled([
      founder.revokeToken({ token: 'second' }),
      second.revokeToken({ token: 'founder' }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('accounts', () => {
  test('are opened by the founding one, and see nothing of each other', async () => {
    await using gateways = await openGateways();
    const url = await gateways.start();
    const founder = await gateways.founderAt(url);
    const opened = await founder.createAccount({ accountId: 'desk-2' });
    expect(opened.token).toMatchObject({ accountId: 'desk-2', name: 'founder', role: Role.ADMIN });
    const desk = gateways.access(url, opened.bearer);
    expect((await desk.whoAmI({})).token?.accountId).toBe('desk-2');
    expect((await desk.listTokens({})).tokens).toHaveLength(1);
    const foundersId = (await founder.whoAmI({})).token?.id ?? '';
    expect((await refusal(desk.revokeToken({ token: foundersId }))).code).toBe(Code.NotFound);
    expect((await refusal(desk.createToken({ name: 'x', role: Role.VIEWER, accountId: 'main' }))).code).toBe(
      Code.NotFound,
    );
    expect((await refusal(desk.createAccount({ accountId: 'desk-3' }))).code).toBe(Code.PermissionDenied);
    const forDesk = await founder.createToken({ name: 'lent', role: Role.VIEWER, accountId: 'desk-2' });
    expect(forDesk.token?.accountId).toBe('desk-2');
    expect((await founder.listTokens({})).tokens.map(({ name }) => name)).toEqual(['founder']);
    expect((await refusal(founder.createAccount({ accountId: 'desk-2' }))).code).toBe(Code.AlreadyExists);
    expect((await refusal(founder.createAccount({ accountId: 'No' }))).code).toBe(Code.InvalidArgument);
  });

  test('nothing but digests is at rest', async () => {
    await using gateways = await openGateways();
    const founder = await gateways.founderAt(await gateways.start());
    const { bearer } = await founder.createToken({ name: 'ci', role: Role.VIEWER });
    const client = new Client({ connectionString: gateways.databaseUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ row: string }>('SELECT t::text AS row FROM gateway.token t');
      expect(rows).toHaveLength(2);
      for (const { row } of rows) expect(row).not.toContain(bearer.slice(-43));
      await expect(client.query(`UPDATE gateway.token SET role = 'root'`)).rejects.toThrow('token_role_check');
    } finally {
      await client.end();
    }
  });
});
