import type { HandlerContext } from '@connectrpc/connect';
import {
  type SubmitIntentsRequest,
  SubmitIntentsRequestSchema,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { intentFromProto } from '../wire/intent-from-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';

const INTENTS_MAX = 500;

export function submitIntents({ book }: SessionHandlerDependencies) {
  return async (request: SubmitIntentsRequest, context: HandlerContext): Promise<Record<string, never>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(SubmitIntentsRequestSchema, request);
    if (request.intents.length > INTENTS_MAX) {
      checks.add('intents', `must have at most ${INTENTS_MAX} entries, has ${request.intents.length}`);
    }
    const intents = request.intents
      .slice(0, INTENTS_MAX)
      .map((intent, index) => intentFromProto(intent, `intents[${index}]`, checks));
    checks.throwIfAny();
    // Those of sessions that exist are durable, whatever becomes of the others.
    const unknown = intents.length === 0 ? [] : await book.addIntents(accountId, intents);
    if (unknown.length > 0) throw notFound('session', unknown.join(', '));
    return {};
  };
}
