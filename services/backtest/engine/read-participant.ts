import { messageOf } from '../../platform/errors.ts';
import { normaliseIndicatorId } from '../../market/index.ts';
import { type Definition, type Fault, type IndicatorVerdict, parseDefinition } from '../../strategy/index.ts';

/** A definition that can be run, or everything that stands against it. Warnings do not. */
export interface Reading {
  readonly definition: Definition | undefined;
  readonly faults: readonly Fault[];
}

/** Reads a strategy in the JSON form, and finds what is found where strategies are stored. */
export function readParticipant(json: string): Reading {
  const { definition, faults } = parseDefinition(json, verdictOf);
  return { definition, faults };
}

function verdictOf(indicatorId: string): IndicatorVerdict {
  try {
    return { canonicalId: normaliseIndicatorId(indicatorId), fault: '' };
  } catch (thrown) {
    return { canonicalId: '', fault: messageOf(thrown) };
  }
}
