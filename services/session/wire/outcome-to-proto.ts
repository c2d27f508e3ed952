import { create } from '@bufbuild/protobuf';
import {
  type Outcome,
  OutcomeSchema,
  OutcomeType,
  Section,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { OutcomeRecord } from '../domain/records.ts';
import { timestampOf } from './time.ts';

export function outcomeToProto(outcome: OutcomeRecord): Outcome {
  return create(OutcomeSchema, {
    id: outcome.id,
    instanceId: outcome.instanceId,
    intentId: outcome.intentId,
    type: OutcomeType[outcome.type],
    section: Section[outcome.section],
    reason: outcome.reason,
    message: outcome.message,
    price: outcome.price,
    quantity: outcome.quantity,
    time: timestampOf(outcome.timeMs),
  });
}
