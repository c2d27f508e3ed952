import { create } from '@bufbuild/protobuf';
import {
  type Outcome,
  OutcomeSchema,
  OutcomeType,
  Section,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { OutcomeRecord } from '../domain/records.ts';
import { timestampOf } from './time.ts';

/** The evaluator takes no more, and would refuse with it everything that is told in the same call. */
const MESSAGE_CHARS_MAX = 2_000;

/** A venue's words are cut where they are too long. */
export function outcomeToProto(outcome: OutcomeRecord): Outcome {
  return create(OutcomeSchema, {
    id: outcome.id,
    instanceId: outcome.instanceId,
    intentId: outcome.intentId,
    type: OutcomeType[outcome.type],
    section: Section[outcome.section],
    reason: outcome.reason,
    message: outcome.message.slice(0, MESSAGE_CHARS_MAX).toWellFormed(),
    price: outcome.price,
    quantity: outcome.quantity,
    time: timestampOf(outcome.timeMs),
  });
}
