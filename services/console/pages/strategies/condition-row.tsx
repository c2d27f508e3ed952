import type { JsonObject } from '@bufbuild/protobuf';
import { useQuery } from '@connectrpc/connect-query';
import { MarketService } from '../../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { OPERATORS } from './draft.ts';

const NAMES = 'indicator-names';

/** The ids that can be used as they are, offered while one is typed. */
export function IndicatorNames() {
  const { data } = useQuery(MarketService.method.listIndicators, {}, { staleTime: Number.POSITIVE_INFINITY });
  return (
    <datalist id={NAMES}>
      {data?.indicators.flatMap(({ examples, description }) =>
        examples.map((example) => (
          <option key={example} value={example}>
            {description}
          </option>
        )),
      )}
    </datalist>
  );
}

/** One condition: an indicator compared with a value. */
export function ConditionRow({
  label,
  condition,
  faults,
  onChange,
  onRemove,
}: {
  readonly label: string;
  readonly condition: JsonObject;
  readonly faults: readonly { readonly field: string; readonly description: string }[];
  readonly onChange: (condition: JsonObject) => void;
  readonly onRemove: () => void;
}) {
  const { indicatorId, operator, value } = condition;
  const wrong = (name: string): boolean => faults.some(({ field }) => field.endsWith(`.${name}`));
  return (
    <div role="group" aria-label={label}>
      <div className="condition">
        <input
          aria-label={`${label}: indicator`}
          list={NAMES}
          placeholder="indicator, such as rsi_14"
          autoComplete="off"
          spellCheck={false}
          value={typeof indicatorId === 'string' ? indicatorId : ''}
          aria-invalid={wrong('indicatorId')}
          onChange={(event) => onChange({ ...condition, indicatorId: event.target.value })}
        />
        <select
          aria-label={`${label}: operator`}
          value={typeof operator === 'string' ? operator : ''}
          aria-invalid={wrong('operator')}
          onChange={(event) => onChange({ ...condition, operator: event.target.value })}
        >
          {[
            ...OPERATORS,
            ...(OPERATORS.some((each) => each === operator) ? [] : [typeof operator === 'string' ? operator : '']),
          ].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <input
          aria-label={`${label}: value`}
          type="number"
          step="any"
          value={typeof value === 'number' ? String(value) : ''}
          aria-invalid={wrong('value')}
          onChange={({ target }) =>
            onChange({ ...condition, value: target.value === '' ? null : target.valueAsNumber })
          }
        />
        <button type="button" className="icon-button" aria-label={`Remove ${label}`} onClick={onRemove}>
          ×
        </button>
      </div>
      {faults.map(({ field, description }) => (
        <p key={`${field} ${description}`} className="help fault">
          {description}
        </p>
      ))}
    </div>
  );
}
