import { getOption } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '../../proto/gen/grpc/reflection/v1/reflection_pb.js';
import { AccessService, required_role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { reasonMetadataOf, reasonOf } from '../platform/grpc/status.ts';
import { issueBearer } from './domain/bearer.ts';
import { ROLES, roleIncludes } from './domain/role.ts';
import { policyOf, roleOf, servedMethods } from './edge/method-policy.ts';
import { PUBLIC_SERVICES } from './handlers/index.ts';
import { openTestDoor } from './test-door.ts';

const OPERATOR_METHODS = PUBLIC_SERVICES.flatMap((service) => service.methods).filter(
  (method) => policyOf(method).kind === 'operator',
);
/** What only services say to each other, and the stream that agents open elsewhere. */
const CLOSED = [
  'CommandService: IssueCommandStream, ListAccounts',
  'EvaluatorService: ActivateInstances, DeactivateInstances, ListCaches, PauseInstances, ReportOutcomes',
  'ExecutorLinkService: Connect',
  'SessionService: ListStrategyUses, SubmitIntents',
];
/** What the gate says; everything else comes from behind it. */
const REFUSALS: readonly (Code | undefined)[] = [Code.Unauthenticated, Code.PermissionDenied];

test('every public method has a policy, and those without a role are the ones that nobody outside may call', () => {
  for (const service of [AccessService, CommandService, ExecutorService]) {
    for (const method of servedMethods(service)) {
      expect(roleOf(getOption(method, required_role)), method.toString()).toBeDefined();
    }
  }
  const closed = PUBLIC_SERVICES.flatMap((service) => service.methods).filter(
    (method) => policyOf(method).kind === 'closed',
  );
  const byService = Map.groupBy(closed, (method) => method.parent.name);
  const lines = [...byService].map(
    ([service, methods]) =>
      `${service}: ${methods
        .map(({ name }) => name)
        .toSorted()
        .join(', ')}`,
  );
  expect(lines.toSorted()).toEqual(CLOSED);
  const open = PUBLIC_SERVICES.flatMap((service) => service.methods).filter(
    (method) => policyOf(method).kind === 'open',
  );
  expect(new Set(open.map((method) => method.parent.name))).toEqual(new Set([Health.name, ServerReflection.name]));
  expect(servedMethods(ExecutorLinkService).map((method) => method.name)).toEqual([
    'PollCommands',
    'ReportEvents',
    'CheckLink',
  ]);
});

test('every operator RPC refuses who has no token, and every role below its own', async () => {
  await using door = await openTestDoor();
  const bearers = new Map(ROLES.map((role) => [role, door.issue(role)]));
  let allowed = 0;
  for (const method of OPERATOR_METHODS) {
    const name = method.toString();
    const required = roleOf(getOption(method, required_role)) ?? 'admin';
    const stranger = await door.probe(method);
    expect(stranger?.code, name).toBe(Code.Unauthenticated);
    for (const role of ROLES) {
      const error = await door.probe(method, bearers.get(role));
      if (roleIncludes(role, required)) {
        allowed++;
        expect(REFUSALS, `${name} as ${role}`).not.toContain(error?.code);
      } else {
        expect(error?.code, `${name} as ${role}`).toBe(Code.PermissionDenied);
        expect(error === undefined ? '' : reasonOf(error)).toBe('ROLE_INSUFFICIENT');
        expect(error === undefined ? {} : reasonMetadataOf(error)).toEqual({ role, required });
      }
    }
  }
  expect(allowed).toBeGreaterThan(OPERATOR_METHODS.length);
});

describe('credentials', () => {
  test('each wrong one is refused with a word on what is wrong, and the secret stays out of answer and log', async () => {
    await using door = await openTestDoor();
    const valid = door.issue('admin');
    const forged = `${valid.slice(0, -1)}${valid.endsWith('A') ? 'B' : 'A'}`;
    const executor = `k1.${'s'.repeat(43)}`;
    const unknown = issueBearer('0'.repeat(32)).bearer;
    const cases = [
      [undefined, 'CREDENTIAL_INVALID', /no credential came/],
      ['hello', 'CREDENTIAL_INVALID', /not an operator token/],
      [executor, 'CREDENTIAL_INVALID', /executor's credential/],
      [unknown, 'CREDENTIAL_INVALID', /not known here/],
      [forged, 'CREDENTIAL_INVALID', /not known here/],
    ] as const;
    for (const [bearer, reason, message] of cases) {
      const error = await door.probe(AccessService.method.whoAmI, bearer);
      expect(error?.code).toBe(Code.Unauthenticated);
      expect(error === undefined ? '' : reasonOf(error)).toBe(reason);
      expect(error?.rawMessage).toMatch(message);
      if (bearer !== undefined && bearer !== 'hello') expect(error?.message).not.toContain(bearer.slice(-43));
    }
    expect(await door.probe(AccessService.method.whoAmI, valid)).toBeUndefined();
    for (const bearer of [valid, forged, executor, unknown]) expect(door.logText()).not.toContain(bearer.slice(-43));
  });

  test('a revoked one is told so, but only to who knows its secret', async () => {
    await using door = await openTestDoor();
    const bearer = door.issue('admin');
    door.revoke(bearer);
    const error = await door.probe(AccessService.method.whoAmI, bearer);
    expect(error === undefined ? '' : reasonOf(error)).toBe('CREDENTIAL_REVOKED');
    const guessed = `${bearer.slice(0, -43)}${'x'.repeat(43)}`;
    const stranger = await door.probe(AccessService.method.whoAmI, guessed);
    expect(stranger === undefined ? '' : reasonOf(stranger)).toBe('CREDENTIAL_INVALID');
  });

  test('while the database is away no token is accepted, and the answer says so', async () => {
    let away = false;
    const tokens = new Map<string, never>();
    await using door = await openTestDoor({
      find: (id) =>
        away
          ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
          : Promise.resolve(tokens.get(id)),
    });
    const { bearer } = issueBearer('1'.repeat(32));
    expect((await door.probe(AccessService.method.whoAmI, bearer))?.code).toBe(Code.Unauthenticated);
    away = true;
    const other = issueBearer('2'.repeat(32)).bearer;
    expect((await door.probe(AccessService.method.whoAmI, other))?.code).toBe(Code.Unavailable);
  });

  test('a database that is away makes no credential a wrong one: nobody waits for it when it is back', async () => {
    const { bearer, tokenId, secretDigest } = issueBearer('5'.repeat(32));
    const known = {
      id: tokenId,
      accountId: 'main',
      name: 'desk',
      role: 'viewer',
      secretDigest,
      createTimeMs: 0,
    } as const;
    let away = true;
    await using door = await openTestDoor({
      limits: { failureRate: { perSecond: 0.001, burst: 3 } },
      find: () =>
        away
          ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
          : Promise.resolve({ ...known, revokeTimeMs: undefined }),
    });
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await door.probe(AccessService.method.whoAmI, bearer))?.code).toBe(Code.Unavailable);
    }
    away = false;
    expect(await door.probe(AccessService.method.whoAmI, bearer)).toBeUndefined();
  });

  test('whoever presented a wrong one too often from an address waits, but a token that was right goes on', async () => {
    await using door = await openTestDoor({ limits: { failureRate: { perSecond: 0.001, burst: 3 } } });
    const known = door.issue('viewer');
    expect(await door.probe(AccessService.method.whoAmI, known)).toBeUndefined();
    const wrong = issueBearer('3'.repeat(32)).bearer;
    for (let attempt = 0; attempt < 3; attempt++) {
      expect((await door.probe(AccessService.method.whoAmI, wrong))?.code).toBe(Code.Unauthenticated);
    }
    const refused = await door.probe(AccessService.method.whoAmI, wrong);
    expect(refused?.code).toBe(Code.ResourceExhausted);
    expect(refused === undefined ? '' : reasonOf(refused)).toBe('RATE_LIMITED');
    expect(await door.probe(AccessService.method.whoAmI, known)).toBeUndefined();
    expect((await door.probe(AccessService.method.whoAmI, door.issue('viewer')))?.code).toBe(Code.ResourceExhausted);
  });
});
