import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type Instance,
  InstanceSchema,
  InstanceStatus as StatusMessage,
  PinPolicy as PinPolicyMessage,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { Freshness as FreshnessMessage } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { Freshness, InstanceStatus, StoredInstance } from '../domain/stored-instance.ts';
import { stateToProto } from './evaluation-to-proto.ts';

const STATUSES: Readonly<Record<InstanceStatus, StatusMessage>> = {
  PENDING: StatusMessage.PENDING,
  ACTIVE: StatusMessage.ACTIVE,
  FAILED: StatusMessage.FAILED,
  CLOSING: StatusMessage.CLOSING,
  INACTIVE: StatusMessage.INACTIVE,
};

const FRESHNESS: Readonly<Record<Freshness, FreshnessMessage>> = {
  '': FreshnessMessage.UNSPECIFIED,
  FRESH: FreshnessMessage.FRESH,
  STALE: FreshnessMessage.STALE,
  BLIND: FreshnessMessage.BLIND,
};

export function instanceToProto(instance: StoredInstance): Instance {
  const { data } = instance;
  return create(InstanceSchema, {
    id: instance.id,
    sessionId: instance.sessionId,
    strategyId: instance.strategyId,
    strategyName: instance.strategyName,
    symbol: instance.symbol,
    status: STATUSES[instance.status],
    state: stateToProto(data.state),
    pinPolicy: instance.pinPolicy === 'PINNED' ? PinPolicyMessage.PINNED : PinPolicyMessage.FOLLOW_LATEST,
    wantedRevision: BigInt(instance.wantedRevision),
    runningRevision: BigInt(instance.runningRevision),
    fault: instance.fault,
    replicaId: instance.replicaId,
    leaseEpoch: BigInt(instance.leaseEpoch),
    paused: instance.paused,
    ...(data.stateMs > 0 ? { stateTime: timestampFromMs(Math.round(data.stateMs)) } : {}),
    ...(data.dueMs === null ? {} : { dueTime: timestampFromMs(Math.round(data.dueMs)) }),
    freshness: FRESHNESS[instance.freshness],
    ...(Number.isFinite(instance.evaluatedMs)
      ? { evaluatedTime: timestampFromMs(Math.round(instance.evaluatedMs)) }
      : {}),
    entryPrice: data.position?.price ?? '',
    quantity: data.position?.quantity ?? '',
  });
}
