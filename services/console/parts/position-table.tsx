import type { Position } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { Link } from '../address/link.tsx';
import { When } from './moment.tsx';
import { decimalText } from './number.ts';
import { PositionMark } from './session-state.tsx';

/** Positions with what they were entered and left at; each with its commands, where there are some. */
export function PositionTable({ positions }: { readonly positions: readonly Position[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Positions table">
      <table>
        <thead>
          <tr>
            <th>State</th>
            <th>Symbol</th>
            <th>Strategy</th>
            <th className="number">Quantity</th>
            <th className="number">Entry</th>
            <th>Entered</th>
            <th className="number">Stop</th>
            <th className="number">Target</th>
            <th className="number">Exit</th>
            <th>Why</th>
            <th className="number">Profit</th>
            <th>Commands</th>
          </tr>
        </thead>
        <tbody>
          {positions.map((position) => (
            <tr key={position.id}>
              <td>
                <PositionMark state={position.state} />
              </td>
              <td>{position.symbol}</td>
              <td>{position.strategyName}</td>
              <td className="number">{decimalText(position.quantity)}</td>
              <td className="number">{decimalText(position.entryPrice)}</td>
              <td>
                <When time={position.entryTime} />
              </td>
              <td className="number">{decimalText(position.stopLossPrice)}</td>
              <td className="number">{decimalText(position.takeProfitPrice)}</td>
              <td className="number">{decimalText(position.exitPrice)}</td>
              <td>{position.exitReason.replaceAll('_', ' ')}</td>
              <td className={`number ${position.pnl.startsWith('-') ? 'fault' : ''}`}>
                {decimalText(position.pnl, 4)}
              </td>
              <td>
                {position.openCommandId !== '' && <Link href={`/commands/${position.openCommandId}`}>open</Link>}{' '}
                {position.closeCommandId !== '' && <Link href={`/commands/${position.closeCommandId}`}>close</Link>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
