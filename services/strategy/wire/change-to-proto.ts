import { create, toBinary } from '@bufbuild/protobuf';
import {
  ChangeType as ChangeTypeNumber,
  type Strategy,
  type StrategyChange,
  StrategyChangeSchema,
  StrategySchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { AccountState, ChangeType, Revision } from '../domain/strategy-book.ts';
import { definitionToProto } from './definition-to-proto.ts';
import { timestampOf } from './time.ts';

export const CHANGE_TYPE_NUMBERS: Readonly<Record<ChangeType, ChangeTypeNumber>> = {
  CREATED: ChangeTypeNumber.CREATED,
  UPDATED: ChangeTypeNumber.UPDATED,
  DELETED: ChangeTypeNumber.DELETED,
};

export function strategyToProto(revision: Revision): Strategy {
  return create(StrategySchema, {
    id: revision.strategyId,
    revision: BigInt(revision.number),
    ...(revision.definition === undefined ? {} : { definition: definitionToProto(revision.definition) }),
    json: revision.json,
    createTime: timestampOf(revision.createMs),
    updateTime: timestampOf(revision.timeMs),
    ...(revision.type === 'DELETED' ? { deleteTime: timestampOf(revision.timeMs) } : {}),
  });
}

export function changeToProto(revision: Revision): StrategyChange {
  return create(StrategyChangeSchema, {
    accountId: revision.accountId,
    revision: BigInt(revision.number),
    type: CHANGE_TYPE_NUMBERS[revision.type],
    strategy: strategyToProto(revision),
    digest: revision.digest,
    time: timestampOf(revision.timeMs),
  });
}

/** The bytes in which a revision is published. */
export function encodeChange(revision: Revision): Uint8Array {
  return toBinary(StrategyChangeSchema, changeToProto(revision));
}

/** The bytes of a reminder: where the account stands, without a strategy. */
export function encodeReminder({ id, revision, digest }: AccountState & { readonly id: string }): Uint8Array {
  return toBinary(
    StrategyChangeSchema,
    create(StrategyChangeSchema, { accountId: id, revision: BigInt(revision), digest }),
  );
}
