import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ExplainInstanceRequest,
  ExplainInstanceRequestSchema,
  type ExplainInstanceResponse,
  SectionViewSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { explain } from '../domain/explain.ts';
import type { LiveView } from '../domain/live-view.ts';
import { isLive, type StoredInstance } from '../domain/stored-instance.ts';
import { conditionToProto, evaluationToProto, sectionToProto } from '../wire/evaluation-to-proto.ts';
import { checksOf } from '../wire/field-checks.ts';
import { instanceToProto } from '../wire/instance-to-proto.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';

const RECENT_MAX = 20;
/** A replica that asks for somebody answers from what it has itself, so that no question goes round. */
const PEER_SUBJECT = 'evaluator';

type Answer = Pick<ExplainInstanceResponse, 'instance' | 'sentence' | 'sections' | 'recent'>;

export function explainInstance(deps: EvaluatorHandlerDependencies) {
  return async (request: ExplainInstanceRequest, context: HandlerContext): Promise<Answer> => {
    const { accountId, subject } = callerOf(context);
    const instance = await find(deps, accountId, request);
    const live = deps.live(instance.id);
    if (live === undefined && subject !== PEER_SUBJECT && isLive(instance.status)) {
      const told = await askOwner(deps, accountId, instance);
      if (told !== undefined) return told;
    }
    const view = live ?? (isLive(instance.status) ? await deps.storedView(instance.id, accountId) : undefined);
    return answer(deps, accountId, instance, view);
  };
}

async function find(
  { book }: EvaluatorHandlerDependencies,
  accountId: string,
  request: ExplainInstanceRequest,
): Promise<StoredInstance> {
  const { instanceId, sessionId, strategy } = request;
  const checks = checksOf(ExplainInstanceRequestSchema, request);
  checks.text('instance_id', instanceId);
  const placed = instanceId === '';
  checks.text('session_id', sessionId, { required: placed });
  checks.text('strategy', strategy, { required: placed });
  const symbol = checks.symbol('symbol', request.symbol, { required: placed });
  checks.throwIfAny();
  if (placed) {
    const found = await book.find(accountId, { sessionId, strategy, symbol });
    if (found === undefined) throw notFound('instance', `${strategy} on ${symbol} in session ${sessionId}`);
    return found;
  }
  const found = (await book.getMany(accountId, [instanceId])).get(instanceId);
  if (found === undefined) throw notFound('instance', instanceId);
  return found;
}

/** What the owner has in hand; undefined when there is none, or it does not answer: then what is stored has to do. */
async function askOwner(
  deps: EvaluatorHandlerDependencies,
  accountId: string,
  { id }: StoredInstance,
): Promise<Answer | undefined> {
  const owner = await deps.book.ownerOf(id);
  if (owner === undefined || owner.ownerId === deps.ownerId || owner.address === '') return undefined;
  return deps.askOwner(accountId, owner.address, id);
}

async function answer(
  { reader }: EvaluatorHandlerDependencies,
  accountId: string,
  stored: StoredInstance,
  view: LiveView | undefined,
): Promise<Answer> {
  const recent = await reader.recent(accountId, stored.id, RECENT_MAX);
  const instance =
    view === undefined || !view.valuesKnown
      ? stored
      : { ...stored, data: view.data, freshness: view.freshness, evaluatedMs: view.evaluatedMs };
  return {
    instance: instanceToProto(instance),
    sentence: explain(stored, view),
    sections: (view?.sections ?? []).map(({ section, active, conditions }) =>
      create(SectionViewSchema, {
        section: sectionToProto(section),
        active,
        result: conditions.length > 0 && conditions.every(({ result }) => result),
        conditions: conditions.map(conditionToProto),
      }),
    ),
    recent: recent.map(evaluationToProto),
  };
}
