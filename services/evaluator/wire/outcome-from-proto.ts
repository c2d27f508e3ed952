import {
  type Outcome,
  OutcomeType as OutcomeTypeMessage,
  OutcomeTypeSchema,
  SectionSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { OutcomeRecord, OutcomeType } from '../domain/instance.ts';
import { sectionFromProto } from './evaluation-to-proto.ts';
import type { FieldChecks } from './field-checks.ts';

const TYPES: ReadonlyMap<number, OutcomeType> = new Map([
  [OutcomeTypeMessage.OPENED, 'OPENED'],
  [OutcomeTypeMessage.NOT_OPENED, 'NOT_OPENED'],
  [OutcomeTypeMessage.CLOSED, 'CLOSED'],
  [OutcomeTypeMessage.NOT_CLOSED, 'NOT_CLOSED'],
]);

const MESSAGE_CHARS_MAX = 2_000;

/** An outcome as the machine takes it; what is wrong with it is added to `checks`. */
export function outcomeFromProto(outcome: Outcome, checks: FieldChecks): OutcomeRecord {
  checks.text('id', outcome.id, { required: true });
  checks.text('instance_id', outcome.instanceId, { required: true });
  checks.text('intent_id', outcome.intentId);
  checks.enumeration('type', OutcomeTypeSchema, outcome.type, { required: true });
  checks.enumeration('section', SectionSchema, outcome.section);
  checks.text('reason', outcome.reason);
  if (outcome.message.length > MESSAGE_CHARS_MAX) {
    checks.add('message', `must have at most ${MESSAGE_CHARS_MAX} characters, has ${outcome.message.length}`);
  }
  checks.decimal('price', outcome.price);
  checks.decimal('quantity', outcome.quantity);
  return {
    type: TYPES.get(outcome.type) ?? 'NOT_OPENED',
    intentId: outcome.intentId,
    section: sectionFromProto(outcome.section) ?? null,
    reason: outcome.reason,
    message: outcome.message,
    price: outcome.price,
    quantity: outcome.quantity,
    timeMs: checks.time('time', outcome.time),
  };
}
