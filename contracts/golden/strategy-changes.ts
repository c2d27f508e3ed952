import { createHash } from 'node:crypto';
import { create, type DescMessage, fromBinary, type JsonObject, type Message, toJson } from '@bufbuild/protobuf';
import { StrategyChangeSchema } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { WatchChangesResponseSchema } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { ChangeType, Revision } from '../../services/strategy/domain/strategy-book.ts';
import { toJsonText } from '../../services/strategy/domain/json-form.ts';
import { changeToProto, encodeReminder } from '../../services/strategy/wire/change-to-proto.ts';
import { messageIn, type Schema } from '../schema/image.ts';
import { objectOf } from '../schema/json.ts';
import { reshape } from '../schema/reshape.ts';
import { SAMPLE_STRATEGY } from './sample-strategy.ts';
import { SAMPLE, sampleId } from './sample-values.ts';

/** What the strategy service says about changes, by the names that both sides know it by. */
export const CHANGES = {
  created: 'published: a strategy was created',
  updated: 'published: a strategy was updated',
  deleted: 'published: a strategy was deleted',
  reminder: 'published: a reminder without a strategy',
  watched: 'watched: a change',
  checkpoint: 'watched: a checkpoint',
} as const;

export type ChangeName = (typeof CHANGES)[keyof typeof CHANGES];

/** One message about changes, as production code builds it. */
export interface MadeChange {
  readonly name: ChangeName;
  readonly message: Message;
}

/** Alters what the builder says; gets a copy that it may change. */
export type AlterChange = (json: JsonObject, name: ChangeName) => JsonObject;

export function descOf(name: ChangeName): DescMessage {
  return name.startsWith('watched') ? WatchChangesResponseSchema : StrategyChangeSchema;
}

export const SAMPLE_STRATEGY_ID = sampleId(500);

/** Revision `number` of an account that has one strategy: created by the first, changed by the second, deleted by the third. */
function revisionOf(number: number, type: ChangeType): Revision {
  const hash = createHash('sha256');
  if (type !== 'DELETED') hash.update(`${SAMPLE_STRATEGY_ID}:${number}\n`);
  return {
    accountId: SAMPLE.accountId,
    number,
    type,
    strategyId: SAMPLE_STRATEGY_ID,
    definition: SAMPLE_STRATEGY,
    json: toJsonText(SAMPLE_STRATEGY),
    author: 'founder',
    digest: hash.digest('hex'),
    createMs: SAMPLE.nowMs,
    timeMs: SAMPLE.nowMs + number,
  };
}

/** What consumers are shown: the same on every run, by the builders of production. */
export function sampleChanges(): readonly MadeChange[] {
  const [created, updated, deleted] = [revisionOf(1, 'CREATED'), revisionOf(2, 'UPDATED'), revisionOf(3, 'DELETED')];
  const { digest } = created;
  const reminder = encodeReminder({ id: SAMPLE.accountId, revision: 1, digest });
  return [
    { name: CHANGES.created, message: changeToProto(created) },
    { name: CHANGES.updated, message: changeToProto(updated) },
    { name: CHANGES.deleted, message: changeToProto(deleted) },
    { name: CHANGES.reminder, message: fromBinary(StrategyChangeSchema, reminder) },
    {
      name: CHANGES.watched,
      message: create(WatchChangesResponseSchema, { change: changeToProto(created), revision: 1n, digest }),
    },
    { name: CHANGES.checkpoint, message: create(WatchChangesResponseSchema, { revision: 1n, digest }) },
  ];
}

/** The JSON in which a build of these descriptors says the messages, when its builders are those of today, altered by `alter`. */
export function saidChanges(
  schema: Schema,
  made: readonly MadeChange[],
  alter: AlterChange = (json) => json,
): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(
    made.map(({ name, message }) => {
      const desc = messageIn(schema, descOf(name).typeName);
      return [name, alter(objectOf(toJson(desc, reshape(message, descOf(name), desc))), name)];
    }),
  );
}
