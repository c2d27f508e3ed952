import type { HandlerContext } from '@connectrpc/connect';
import {
  PinPolicy as PinPolicyMessage,
  PinPolicySchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  type ActivateInstancesRequest,
  ActivateInstancesRequestSchema,
  type ActivateInstancesResponse,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { StoredInstance, WantedInstance } from '../domain/stored-instance.ts';
import { checksOf, type FieldChecks } from '../wire/field-checks.ts';
import { instanceToProto } from '../wire/instance-to-proto.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';
import { createWaker } from '../../platform/waker.ts';

const INSTANCES_MAX = 1_000;
const WAIT_MS_MAX = 30_000;
const WAIT_MS_DEFAULT = 10_000;
/** Without a ring, the rows are looked at this often. */
const POLL_MS = 200;

export function activateInstances(deps: EvaluatorHandlerDependencies) {
  return async (
    request: ActivateInstancesRequest,
    context: HandlerContext,
  ): Promise<Pick<ActivateInstancesResponse, 'instances'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ActivateInstancesRequestSchema, request);
    checks.text('session_id', request.sessionId, { required: true });
    const wanted = wantedOf(request, checks);
    const waitMs = checks.span('wait', request.wait, WAIT_MS_MAX) ?? WAIT_MS_DEFAULT;
    checks.throwIfAny();

    deps.follow(accountId);
    const waker = createWaker((ring) => deps.evaluations.on(accountId, ring), context.signal, deps.clock);
    try {
      const ours = await deps.book.want(accountId, request.sessionId, request.paused, wanted);
      const taken = wanted.find(({ id }) => !ours.has(id));
      if (taken !== undefined) throw idTaken(taken);
      deps.wanted.ring(accountId);
      const untilMs = deps.clock.steadyMs() + waitMs;
      for (;;) {
        const rows = await deps.book.getMany(
          accountId,
          wanted.map(({ id }) => id),
        );
        const leftMs = untilMs - deps.clock.steadyMs();
        if (context.signal.aborted || leftMs <= 0 || [...rows.values()].every(({ status }) => status !== 'PENDING')) {
          return { instances: answers(wanted, rows) };
        }
        await waker.wait(Math.min(leftMs, POLL_MS));
      }
    } finally {
      waker.stop();
    }
  };
}

function wantedOf({ instances }: ActivateInstancesRequest, checks: FieldChecks): WantedInstance[] {
  checks.count('instances', instances.length, INSTANCES_MAX);
  const ids = new Set<string>();
  return instances.slice(0, INSTANCES_MAX).map((instance, i) => {
    const inner = checks.within(`instances[${i}]`);
    inner.text('instance_id', instance.instanceId, { required: true });
    if (ids.has(instance.instanceId)) inner.add('instance_id', 'is named twice');
    ids.add(instance.instanceId);
    inner.text('strategy_id', instance.strategyId, { required: true });
    inner.revision('revision', instance.revision);
    inner.enumeration('pin_policy', PinPolicySchema, instance.pinPolicy);
    return {
      id: instance.instanceId,
      strategyId: instance.strategyId,
      revision: Number(instance.revision),
      symbol: inner.symbol('symbol', instance.symbol, { required: true }),
      pinPolicy: instance.pinPolicy === PinPolicyMessage.PINNED ? 'PINNED' : 'FOLLOW_LATEST',
    };
  });
}

/** The rows in request order; what is still on its way says what it waits for. */
function answers(wanted: readonly WantedInstance[], rows: ReadonlyMap<string, StoredInstance>) {
  return wanted.flatMap(({ id }) => {
    const row = rows.get(id);
    if (row === undefined) return [];
    return [instanceToProto(row.status === 'PENDING' ? { ...row, fault: awaited(row) } : row)];
  });
}

function awaited(row: StoredInstance): string {
  if (row.fault !== '') return row.fault;
  if (row.replicaId === '') return 'no evaluator has taken it: none is alive, or all of them are busy';
  const { replicaId, wantedRevision, runningRevision } = row;
  if (runningRevision > 0) {
    return `evaluator ${replicaId} finishes its open position by revision ${runningRevision} before revision ${wantedRevision} takes over`;
  }
  return `evaluator ${replicaId} has not applied revision ${wantedRevision} yet`;
}

function idTaken({ id, strategyId, symbol }: WantedInstance): StatusError {
  return new StatusError(
    'AlreadyExists',
    'REQUEST_ID_REUSED',
    `instance "${id}" is another one than ${strategyId} on ${symbol} in this session; make a new id`,
    { metadata: { instance_id: id } },
  );
}
