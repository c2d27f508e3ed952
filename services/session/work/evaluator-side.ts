import { Code, ConnectError } from '@connectrpc/connect';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type Instance, InstanceStatus, PinPolicy } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { Draft } from '../domain/draft.ts';
import type { ActivationRecord, Wanted } from '../domain/records.ts';
import type { SessionView } from '../domain/repository.ts';
import { settleStart } from '../domain/starting.ts';
import { wantStopStrategy } from '../domain/stopping.ts';
import type { Upstream } from '../upstream.ts';

/** An evaluator answers as soon as it can; what takes longer is asked again, so that nothing else waits. */
const ACTIVATE_MS_MAX = 1_000;

/** What an evaluator says of an instance; `gone` when it knows none of that id. */
export interface InstanceAnswer {
  readonly instanceId: string;
  readonly asked: Wanted;
  readonly status: 'PENDING' | 'ACTIVE' | 'FAILED' | 'CLOSING' | 'GONE';
  readonly runningRevision: number;
  readonly fault: string;
}

/** What the evaluators still have to be told of the session's instances. */
export function untold(view: SessionView): ActivationRecord[] {
  return view.activations.filter(
    ({ wanted, told, applied, evaluatorFault }) =>
      wanted !== told || ((wanted === 'RUN' || wanted === 'PAUSE') && !applied && evaluatorFault === ''),
  );
}

/** Tells the evaluators what is wanted; repeats are harmless. @throws ConnectError when they are away. */
export async function tellEvaluators(upstream: Upstream, view: SessionView): Promise<InstanceAnswer[]> {
  const { id: sessionId, accountId, pinPolicy } = view.session;
  const waiting = untold(view);
  const first = waiting.filter(({ wanted, applied }) => (wanted === 'RUN' || wanted === 'PAUSE') && !applied);
  const known = waiting.filter((activation) => !first.includes(activation));
  const options = upstream.as(accountId);
  const answers: InstanceAnswer[] = [];
  for (const paused of [false, true]) {
    const asked = paused ? 'PAUSE' : 'RUN';
    const starting = first.filter(({ wanted }) => wanted === asked);
    if (starting.length > 0) {
      const instances = starting.map(({ instanceId, strategyId, revision, symbol }) => ({
        instanceId,
        strategyId,
        revision: BigInt(revision),
        symbol,
        pinPolicy: PinPolicy[pinPolicy],
      }));
      const request = { sessionId, instances, paused, wait: durationFromMs(ACTIVATE_MS_MAX) };
      const response = await upstream.evaluators.activateInstances(request, options);
      answers.push(...answersOf(starting, asked, response.instances));
    }
    const moving = known.filter(({ wanted }) => wanted === asked);
    if (moving.length > 0) {
      const instanceIds = moving.map(({ instanceId }) => instanceId);
      const response = await upstream.evaluators.pauseInstances({ instanceIds, paused }, options);
      answers.push(...answersOf(moving, asked, response.instances));
    }
  }
  for (const asked of ['END', 'CLOSE'] as const) {
    const ending = known.filter(({ wanted }) => wanted === asked);
    answers.push(...(await deactivate(upstream, ending, asked, accountId)));
  }
  return answers;
}

async function deactivate(
  upstream: Upstream,
  ending: readonly ActivationRecord[],
  asked: 'END' | 'CLOSE',
  accountId: string,
): Promise<InstanceAnswer[]> {
  if (ending.length === 0) return [];
  const request = { instanceIds: ending.map(({ instanceId }) => instanceId), whenFlat: asked === 'CLOSE' };
  try {
    const { instances } = await upstream.evaluators.deactivateInstances(request, upstream.as(accountId));
    return answersOf(ending, asked, instances);
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
    // One that was never made known does not run; it must not keep the others running.
    if (ending.length === 1) return answersOf(ending, asked, []);
    return (await Promise.all(ending.map((each) => deactivate(upstream, [each], asked, accountId)))).flat();
  }
}

/** Writes down what the evaluators answered. */
export function applyAnswers(draft: Draft, answers: readonly InstanceAnswer[]): void {
  for (const { instanceId, asked, status, runningRevision, fault } of answers) {
    const activation = draft.activation(instanceId);
    if (activation === undefined) continue;
    if (asked === 'RUN' || asked === 'PAUSE') {
      const applied = status === 'ACTIVE' && (activation.applied || runningRevision === activation.revision);
      const evaluatorFault =
        status === 'FAILED' || status === 'GONE' ? (fault === '' ? `the instance is ${status}` : fault) : '';
      draft.setActivation(instanceId, { told: asked, applied: activation.applied || applied, evaluatorFault });
    } else if (asked === 'END') draft.setActivation(instanceId, { told: 'END' });
    else if (status === 'GONE') {
      draft.setActivation(instanceId, { told: 'CLOSE' });
      if (activation.state === 'DEACTIVATING') wantStopStrategy(draft, activation, false);
    }
  }
  settleStart(draft);
}

const STATUS: Readonly<Partial<Record<InstanceStatus, InstanceAnswer['status']>>> = {
  [InstanceStatus.ACTIVE]: 'ACTIVE',
  [InstanceStatus.FAILED]: 'FAILED',
  [InstanceStatus.CLOSING]: 'CLOSING',
  [InstanceStatus.INACTIVE]: 'GONE',
};

function answersOf(
  asked: readonly ActivationRecord[],
  wanted: Wanted,
  instances: readonly Instance[],
): InstanceAnswer[] {
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  return asked.map(({ instanceId }) => {
    const instance = byId.get(instanceId);
    return {
      instanceId,
      asked: wanted,
      status: instance === undefined ? 'GONE' : (STATUS[instance.status] ?? 'PENDING'),
      runningRevision: Number(instance?.runningRevision ?? 0n),
      fault: instance?.fault ?? '',
    };
  });
}
