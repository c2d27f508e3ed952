import type { Signal } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { Link } from '../../address/link.tsx';
import { ConditionText } from '../../parts/condition-text.tsx';
import { When } from '../../parts/moment.tsx';
import { decimalText } from '../../parts/number.ts';
import { SignalMark } from '../../parts/session-state.tsx';

/** Signals with the values that made them and what came of each. */
export function SignalTable({ signals }: { readonly signals: readonly Signal[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Signals table">
      <table>
        <thead>
          <tr>
            <th>Market time</th>
            <th>State</th>
            <th>Symbol</th>
            <th>Strategy</th>
            <th className="number">Price</th>
            <th>Because</th>
            <th>What came of it</th>
          </tr>
        </thead>
        <tbody>
          {signals.map((signal) => (
            <tr key={signal.id}>
              <td>
                <When time={signal.time} />
              </td>
              <td>
                <SignalMark state={signal.state} />
              </td>
              <td>{signal.symbol}</td>
              <td>
                {signal.strategyName} <span className="quiet">r{String(signal.revision)}</span>
              </td>
              <td className="number">{decimalText(signal.price)}</td>
              <td className="wrap">
                {signal.inputs.map((input) => (
                  <ConditionText key={input.conditionId} condition={input} />
                ))}
              </td>
              <td className="wrap">
                {signal.reason.replaceAll('_', ' ')}{' '}
                {signal.commandId !== '' && <Link href={`/commands/${signal.commandId}`}>command</Link>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
