import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { callerKey } from '../../platform/grpc/caller.ts';
import { StatusError } from '../../platform/errors.ts';
import { toConnectError } from '../../platform/grpc/status.ts';
import { bearerValue, isExecutorCredential, parseBearer } from '../domain/bearer.ts';
import { requireRole, type Role } from '../domain/role.ts';
import { checkPresented, credentialInvalid } from '../domain/token.ts';
import { type CallRecord, recordKey } from './call-record.ts';
import {
  digestOf,
  type GateParts,
  limitAddress,
  limitToken,
  operatorKey,
  refuseGuessing,
  takeSlot,
} from './gate-limits.ts';
import { grantEndsKey, watchGrant } from './grant.ts';
import { policyOf } from './method-policy.ts';

/**
 * Decides whether a call may go on, before anything of its body is read: limits of its address, credential, limits of its token,
 * role. Leaves the caller in the context. What it throws is a ConnectError that is recorded.
 */
export function createGate(parts: GateParts): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const record = context.values.get(recordKey);
    if (record === undefined) throw new Error('the gate needs the record of the call');
    try {
      limitAddress(parts, record);
      await admit(parts, context, record);
    } catch (thrown) {
      throw record.failedWith(toConnectError(thrown, { requestId: record.requestId, logger: parts.logger }));
    }
  };
}

async function admit(parts: GateParts, context: HandlerContext, record: CallRecord): Promise<void> {
  const policy = policyOf(context.method);
  switch (policy.kind) {
    case 'open':
      break;
    case 'operator':
      await admitOperator(parts, context, record, policy.role);
      break;
    case 'executor':
      admitExecutor(parts, context, record);
      break;
    case 'closed':
      throw new ConnectError(`${record.rpc} is not served here`, Code.Unimplemented);
    default:
      policy satisfies never;
  }
  takeSlot(parts, context, record, policy.kind);
}

async function admitOperator(parts: GateParts, context: HandlerContext, record: CallRecord, role: Role): Promise<void> {
  const bearer = presentedBearer(context);
  const digest = digestOf(bearer);
  const nowMs = parts.clock.nowMs();
  refuseGuessing(parts, record, digest, nowMs);
  const presented = parseBearer(bearer);
  try {
    if (presented === undefined) throw credentialInvalid(notAnOperatorToken(bearer));
    const token = checkPresented(presented, await parts.tokens.find(presented.tokenId));
    parts.failureGuard.succeeded(digest, nowMs);
    record.calledBy({ account: token.accountId, subject: token.name, tokenId: token.id });
    context.values.set(operatorKey, token);
    context.values.set(callerKey, { accountId: token.accountId, role: token.role, subject: token.name });
    limitToken(parts, token.id, nowMs);
    requireRole(token.role, role, record.rpc);
    // A unary call is over before long; a watch may outlive its token.
    if (context.method.methodKind !== 'unary') {
      context.values.set(grantEndsKey, watchGrant(parts.tokens, presented, record));
    }
  } catch (thrown) {
    if (isWrongCredential(thrown)) parts.failureGuard.failed(record.address, digest, nowMs);
    throw thrown;
  }
}

/** The link port checks the credential; here it only has to look like one. */
function admitExecutor(parts: GateParts, context: HandlerContext, record: CallRecord): void {
  const bearer = presentedBearer(context);
  const digest = digestOf(bearer);
  const nowMs = parts.clock.nowMs();
  refuseGuessing(parts, record, digest, nowMs);
  if (!isExecutorCredential(bearer)) {
    parts.failureGuard.failed(record.address, digest, nowMs);
    throw credentialInvalid('this RPC takes the credential of an executor, "Bearer <key_id>.<secret>"');
  }
  limitToken(parts, digest, nowMs);
}

/** Notes what the link port said of an executor's credential. */
export function noteExecutorCredential(parts: GateParts, context: HandlerContext, accepted: boolean): void {
  const bearer = bearerValue(context.requestHeader.get('authorization'));
  const address = context.values.get(recordKey)?.address;
  if (bearer === undefined || address === undefined) return;
  if (accepted) parts.failureGuard.succeeded(digestOf(bearer), parts.clock.nowMs());
  else parts.failureGuard.failed(address, digestOf(bearer), parts.clock.nowMs());
}

function presentedBearer(context: HandlerContext): string {
  const bearer = bearerValue(context.requestHeader.get('authorization'));
  if (bearer === undefined) {
    throw credentialInvalid('no credential came with the call; send the header "authorization: Bearer <token>"');
  }
  return bearer;
}

function notAnOperatorToken(bearer: string): string {
  return isExecutorCredential(bearer)
    ? "this is an executor's credential; operators' tokens begin with sop_"
    : 'the bearer is not an operator token (sop_<id>_<secret>); check that it was copied whole';
}

function isWrongCredential(thrown: unknown): boolean {
  return thrown instanceof StatusError && thrown.code === 'Unauthenticated';
}
