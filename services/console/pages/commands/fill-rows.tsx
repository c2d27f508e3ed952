import type { Command } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';

/** One execution as it is typed; the platform says what is wrong with it. */
export interface Fill {
  readonly side: string;
  readonly symbol: string;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
}

/** Symbol and side are the order's own, where it has them. Quantity and price are the venue's alone. */
export function emptyFill({ kind }: Command): Fill {
  const symbol = kind.case === 'openPosition' || kind.case === 'closePosition' ? kind.value.symbol : '';
  const side = kind.case === 'openPosition' ? String(kind.value.side) : '';
  return { side, symbol, quantity: '', price: '', fee: '' };
}

/** The side that was chosen; unspecified is for the platform to refuse. */
export function sideOf({ side }: Fill): Side {
  return [Side.BUY, Side.SELL].find((each) => String(each) === side) ?? Side.UNSPECIFIED;
}

const TEXTS = [
  ['symbol', true],
  ['quantity', true],
  ['price', true],
  ['fee', false],
] as const;

/** The executions that the venue shows. */
export function FillRows({
  command,
  fills,
  onChange,
}: {
  readonly command: Command;
  readonly fills: readonly Fill[];
  readonly onChange: (fills: readonly Fill[]) => void;
}) {
  const put = (index: number, fill: Fill): void => onChange(fills.map((each, at) => (at === index ? fill : each)));
  const needed = command.kind.case === 'openPosition';
  return (
    <fieldset>
      <legend>What it dealt there</legend>
      {fills.length === 0 && <p className="quiet">Without fills it is booked without price and profit.</p>}
      {fills.map((fill, index) => (
        <div key={`fill ${index}`} className="fields" role="group" aria-label={`Fill ${index + 1}`}>
          <div className="field">
            <label htmlFor={`fill-${index}-side`}>side</label>
            <select
              id={`fill-${index}-side`}
              required
              value={fill.side}
              onChange={(event) => put(index, { ...fill, side: event.target.value })}
            >
              <option value="">choose …</option>
              <option value={Side.BUY}>buy</option>
              <option value={Side.SELL}>sell</option>
            </select>
          </div>
          {TEXTS.map(([name, required]) => (
            <div key={name} className="field">
              <label htmlFor={`fill-${index}-${name}`}>{name}</label>
              <input
                id={`fill-${index}-${name}`}
                required={required}
                autoComplete="off"
                spellCheck={false}
                value={fill[name]}
                onChange={(event) => put(index, { ...fill, [name]: event.target.value.trim() })}
              />
            </div>
          ))}
        </div>
      ))}
      <div className="row">
        <button type="button" className="button small" onClick={() => onChange([...fills, emptyFill(command)])}>
          Add a fill
        </button>
        {fills.length > (needed ? 1 : 0) && (
          <button type="button" className="button small" onClick={() => onChange(fills.slice(0, -1))}>
            Take the last one out
          </button>
        )}
      </div>
    </fieldset>
  );
}
