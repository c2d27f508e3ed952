import type { DescMethod } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import type { CredentialCheck } from '../domain/credential.ts';
import type { NewRefusal } from '../domain/refusal.ts';
import { linkAuthenticator } from './link-caller.ts';

const OWNER = { keyId: 'k1', executorId: 'e1', accountId: 'main', name: 'vps-1' };
const HEADERS = { get: (name: string) => (name === 'authorization' ? 'Bearer k1.secret' : null) };
const { connect, pollCommands, checkLink } = ExecutorLinkService.method;

function told({ code, reason, message, metadata }: StatusError): Partial<StatusError> {
  return { code, reason, message, metadata };
}

/** What a caller with such a credential is told, and what is remembered of it. */
async function answer(
  check: CredentialCheck,
  method: DescMethod = connect,
): Promise<{ readonly error: StatusError; readonly refusals: readonly NewRefusal[] }> {
  const refusals: NewRefusal[] = [];
  const authenticate = linkAuthenticator({
    clock: new ManualClock(),
    verify: () => Promise.resolve(check),
    refused: (refusal) => refusals.push(refusal),
  });
  const error: unknown = await authenticate(HEADERS, method).catch((thrown: unknown) => thrown);
  if (!(error instanceof StatusError)) throw new Error('the call was let in');
  return { error, refusals };
}

test('who brings a wrong secret is not told that the key is one; what nobody owns is not remembered', async () => {
  const unknown = await answer({ type: 'unknown' });
  const wrong = await answer({ type: 'wrong_secret', ...OWNER });
  expect(told(wrong.error)).toEqual(told(unknown.error));
  expect(unknown.refusals).toEqual([]);
  expect(wrong.refusals).toMatchObject([
    { executorId: 'e1', reason: 'CREDENTIAL_INVALID', isProven: false, link: 'STREAM', agent: null },
  ]);
});

test('a right secret that opens nothing is remembered with what its agent was told', async () => {
  for (const type of ['revoked', 'disabled'] as const) {
    const { error, refusals } = await answer({ type, ...OWNER }, pollCommands);
    expect(refusals).toMatchObject([{ isProven: true, link: 'POLL', reason: error.reason, message: error.message }]);
  }
});

test('who only looks whether a link would work is not remembered', async () => {
  for (const type of ['wrong_secret', 'revoked', 'disabled'] as const) {
    expect((await answer({ type, ...OWNER }, checkLink)).refusals).toEqual([]);
  }
});
