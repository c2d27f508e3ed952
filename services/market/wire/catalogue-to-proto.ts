import { create } from '@bufbuild/protobuf';
import { type Indicator, IndicatorSchema } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { type IndicatorCheck, IndicatorCheckSchema } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { CATALOGUE, idPattern } from '../indicators/catalogue.ts';
import type { Family } from '../indicators/family.ts';
import { parseIndicatorId, UnknownIndicatorError } from '../indicators/indicator-id.ts';

/** The catalogue as it is told. */
export function catalogueToProto(): Indicator[] {
  return CATALOGUE.map(familyToProto);
}

/** The verdict on one id. */
export function checkToProto(id: string): IndicatorCheck {
  try {
    const { normalisedId, warmUp } = parseIndicatorId(id);
    return create(IndicatorCheckSchema, { id, normalisedId, warmUp });
  } catch (thrown) {
    if (thrown instanceof UnknownIndicatorError) return create(IndicatorCheckSchema, { id, fault: thrown.message });
    throw thrown;
  }
}

function familyToProto(family: Family): Indicator {
  const values = family.parameters.map(({ defaultValue }) => defaultValue);
  return create(IndicatorSchema, {
    family: family.family,
    idPattern: idPattern(family),
    description: family.description,
    formula: family.formula,
    warmUp: family.warmUp(values, family.defaultOutput ?? family.outputs[0] ?? ''),
    parameters: family.parameters.map(({ name, defaultValue, minValue, maxValue, description }) => ({
      name,
      defaultValue,
      minValue,
      maxValue,
      description,
    })),
    examples: [...family.examples],
    unit: family.unit,
  });
}
