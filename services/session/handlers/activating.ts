import { StatusError } from '../../platform/errors.ts';
import type { ActivationRecord } from '../domain/records.ts';
import type { SessionView } from '../domain/repository.ts';
import { failureText } from '../domain/starting.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { readSession } from './reading.ts';
import { waitFor } from './waiting.ts';

/** After the deadline of an activation its answer is certain; so long the sweep may take to write it down. */
const SWEEP_MS_MAX = 5_000;

interface Waiting {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  /** Asked for again: what was activated then may have been let go of since. */
  readonly repeated?: boolean;
}

/**
 * Waits until every one of the instances has its answer, and returns the session; without ids, those of its start.
 * @throws FAILED_PRECONDITION (ACTIVATION_FAILED) when one has failed that must not, or none is ACTIVE, with what is missing
 * of each in message and metadata.
 */
export async function activationAnswer(
  deps: SessionHandlerDependencies,
  accountId: string,
  sessionId: string,
  instanceIds: readonly string[] | undefined,
  { repeated = false, ...call }: Waiting,
): Promise<SessionView> {
  const own = ({ activations }: SessionView): readonly ActivationRecord[] =>
    instanceIds === undefined ? activations : activations.filter(({ instanceId }) => instanceIds.includes(instanceId));
  const limitMs = call.limitMs + SWEEP_MS_MAX;
  const view = await waitFor(deps, sessionId, { ...call, limitMs }, async () => {
    const seen = await readSession(deps.reader, accountId, sessionId);
    const pending = own(seen).some(({ state }) => state === 'PENDING');
    return { seen, done: !pending && seen.session.state !== 'STARTING' };
  });
  const answered = own(view);
  if (answered.some(({ state }) => state === 'ACTIVE')) return view;
  const letGo = answered.some(({ state, missing }) => isLetGo(state) && missing.length === 0);
  if (repeated && letGo) return view;
  // A back-test may be over before it is looked at, and a repeated start may find what was stopped since.
  const { state, startTimeMs } = view.session;
  if (instanceIds === undefined && startTimeMs !== null && state !== 'FAILED') return view;
  throw activationFailed(view, answered);
}

function isLetGo(state: ActivationRecord['state']): boolean {
  return state === 'DEACTIVATING' || state === 'INACTIVE';
}

function activationFailed({ session }: SessionView, activations: readonly ActivationRecord[]): StatusError {
  const missing = activations.map(({ strategyName, symbol, missing: what, state }): [string, string] => [
    `${strategyName} on ${symbol}`,
    what.length === 0 ? state : what.join(', '),
  ]);
  const text = failureText(activations);
  const why = text === '' ? `the session is ${session.state}: ${session.reason}` : text;
  return new StatusError('FailedPrecondition', 'ACTIVATION_FAILED', `session ${session.id} does not trade: ${why}`, {
    metadata: { session_id: session.id, session_state: session.state, ...Object.fromEntries(missing) },
  });
}
