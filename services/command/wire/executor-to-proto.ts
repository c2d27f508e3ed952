import { create } from '@bufbuild/protobuf';
import {
  CredentialInfoSchema,
  type Credentials,
  CredentialsSchema,
  ExecutorSchema,
  ExecutorState,
  LinkKind,
  RefusalSchema,
  type Executor as WireExecutor,
  type Refusal as WireRefusal,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { type Executor, executorState, lastSeenMs } from '../domain/executor.ts';
import type { ExecutorView, NewCredential } from '../domain/executor-book.ts';
import { isCurrent, type Refusal, remedyOf } from '../domain/refusal.ts';
import { contractVerdictOf } from './contract.ts';
import { reasonNumber } from './error-reason.ts';
import { durationOf, timestampOf } from './time.ts';

/** The executor as callers see it; no secret is among what it is made from. */
export function executorToProto({
  executor,
  inFlight,
  queued,
  queuedMax,
  credentials,
  refusal,
}: ExecutorView): WireExecutor {
  const { verdict } = contractVerdictOf(executor.contractDigest ?? '', Date.now());
  return create(ExecutorSchema, {
    id: executor.id,
    name: executor.name,
    labels: { ...executor.labels },
    state: ExecutorState[executorState(executor)],
    streamEpoch: BigInt(executor.streamEpoch),
    link: executor.link === null ? LinkKind.UNSPECIFIED : LinkKind[executor.link],
    ownerReplica: executor.online ? (executor.ownerReplica ?? '') : '',
    agentVersion: executor.agentVersion ?? '',
    contractDigest: executor.contractDigest ?? '',
    kinds: [...(executor.kinds ?? [])],
    inFlightMax: executor.inFlightMax ?? 0,
    inFlight,
    queued,
    host: executor.host ?? '',
    journalId: executor.journalId ?? '',
    takeovers: executor.takeovers,
    credentials: credentials.map(({ keyId, createMs, expireMs }) =>
      create(CredentialInfoSchema, {
        keyId,
        createTime: timestampOf(createMs),
        expireTime: timestampOf(expireMs),
      }),
    ),
    createTime: timestampOf(executor.createMs),
    connectTime: timestampOf(executor.connectMs),
    disconnectTime: timestampOf(executor.disconnectMs),
    lastSeenTime: timestampOf(lastSeenMs(executor)),
    disableTime: timestampOf(executor.disableMs),
    takeoverTime: timestampOf(executor.takeoverMs),
    disconnectReason: executor.disconnectReason ?? '',
    roundTrip: durationOf(executor.roundTripMs),
    queuedMax,
    clockOffset: durationOf(executor.clockOffsetMs),
    contractVerdict: verdict,
    ...(refusal === null ? {} : { lastRefusal: refusalToProto(refusal, executor) }),
  });
}

function refusalToProto(refusal: Refusal, executor: Executor): WireRefusal {
  const { atMs, sinceMs, reason, message, keyId, link, agent, isProven } = refusal;
  return create(RefusalSchema, {
    time: timestampOf(atMs),
    sinceTime: timestampOf(sinceMs),
    reason: reasonNumber(reason),
    message,
    remedy: remedyOf(refusal, executor.name),
    agentVersion: agent?.version ?? '',
    contractDigest: agent?.contractDigest ?? '',
    host: agent?.host ?? '',
    keyId,
    link: LinkKind[link],
    credentialProven: isProven,
    current: isCurrent(refusal, executor),
  });
}

/** Where agents find the platform; goes into every credential. */
export interface Addresses {
  readonly linkUrls: readonly string[];
  readonly gatewayUrl: string;
}

/** What an agent needs to connect. The only message that ever holds a secret. */
export function credentialsToProto(
  executor: { readonly id: string; readonly name: string; readonly accountId: string },
  credential: NewCredential,
  addresses: Addresses,
): Credentials {
  return create(CredentialsSchema, {
    executorId: executor.id,
    executorName: executor.name,
    keyId: credential.keyId,
    secret: credential.secret,
    linkUrls: [...addresses.linkUrls],
    gatewayUrl: addresses.gatewayUrl,
    accountId: executor.accountId,
  });
}
