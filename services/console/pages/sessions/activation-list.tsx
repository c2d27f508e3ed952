import type { ReactNode } from 'react';
import type { Activation } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { Link } from '../../address/link.tsx';
import { Nothing } from '../../parts/page.tsx';
import { ActivationMark } from '../../parts/session-state.tsx';

/** The answer for each strategy on each symbol: active, or what is missing. */
export function ActivationList({
  activations,
  sessionId,
  actions,
}: {
  readonly activations: readonly Activation[];
  /** Where each leads to its instance. */
  readonly sessionId?: string;
  readonly actions?: ((activation: Activation) => ReactNode) | undefined;
}) {
  if (activations.length === 0) return <Nothing>Nothing is activated.</Nothing>;
  return (
    <ul className="plain-list" aria-live="polite" aria-label="Activations">
      {activations.map((activation) => (
        <li key={activation.instanceId}>
          <div className="row apart">
            <span className="row">
              <ActivationMark state={activation.state} />
              {sessionId === undefined ? (
                <strong>
                  {activation.strategyName} on {activation.symbol}
                </strong>
              ) : (
                <Link href={`/sessions/${sessionId}/${activation.instanceId}`}>
                  {activation.strategyName} on {activation.symbol}
                </Link>
              )}
              <span className="quiet">revision {String(activation.revision)}</span>
            </span>
            <span className="row">
              {activation.commandId !== '' && <Link href={`/commands/${activation.commandId}`}>command</Link>}
              {actions?.(activation)}
            </span>
          </div>
          {activation.missing.map((missing) => (
            <p key={missing} className="fault">
              {missing}
            </p>
          ))}
        </li>
      ))}
    </ul>
  );
}
