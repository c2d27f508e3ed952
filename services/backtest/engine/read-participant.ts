import { messageOf } from '../../platform/errors.ts';
import { normaliseIndicatorId } from '../../market/index.ts';
import { type Definition, type Fault, parseDefinition, SECTION_NAMES, SECTIONS } from '../../strategy/index.ts';

/** A definition that can be run, or everything that stands against it. Warnings do not. */
export interface Reading {
  readonly definition: Definition | undefined;
  readonly faults: readonly Fault[];
}

/** Reads a strategy in the JSON form and looks for indicators that nobody can compute. */
export function readParticipant(json: string): Reading {
  const { definition, faults } = parseDefinition(json);
  if (definition === undefined) return { definition, faults };
  const unknown = SECTIONS.flatMap((section) =>
    definition[section].conditions.flatMap(({ indicatorId }, at): Fault[] => {
      const description = faultOf(indicatorId);
      if (description === undefined) return [];
      return [{ field: `${SECTION_NAMES[section]}.conditions[${at}].indicatorId`, description, warning: false }];
    }),
  );
  return { definition: unknown.length === 0 ? definition : undefined, faults: [...faults, ...unknown] };
}

function faultOf(indicatorId: string): string | undefined {
  try {
    normaliseIndicatorId(indicatorId);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
