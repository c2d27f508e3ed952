import { invalidFields } from '../../platform/errors.ts';
import type { Definition, Fault } from '../domain/definition.ts';
import { type Judgement, judge } from '../domain/judge-definition.ts';
import type { Asker, IndicatorCatalogue } from '../domain/neighbours.ts';
import type { Reading } from '../domain/read-definition.ts';
import { type DefinitionSource, readSource, violationPath } from '../wire/definition-source.ts';
import type { RequestChecks } from '../wire/request-checks.ts';

/** A definition that may be stored, and what is odd about it. */
export interface Sound {
  readonly definition: Definition;
  readonly warnings: readonly Fault[];
}

/**
 * Reads and judges what shall be stored.
 * @throws INVALID_ARGUMENT with everything that is wrong with it and with the rest of the request; UNAVAILABLE when nothing else
 *   is wrong and the indicators cannot be checked.
 */
export async function soundDefinition(
  catalogue: IndicatorCatalogue,
  asker: Asker,
  source: DefinitionSource,
  checks: RequestChecks,
): Promise<Sound> {
  const reading = readSource(source);
  const plain = 'fault' in reading ? { faults: [reading.fault] } : judge(reading);
  let judged: Judgement = plain;
  if (!('fault' in reading)) {
    try {
      judged = await judgeWithIndicators(catalogue, asker, reading);
    } catch (thrown) {
      // What is wrong anyway need not wait for the market service.
      if (plain.definition !== undefined && !checks.failed) throw thrown;
    }
  }
  for (const { field, description, warning } of judged.faults) {
    if (!warning) checks.add(violationPath(source, field), description);
  }
  checks.throwIfAny();
  if (judged.definition === undefined) throw invalidFields([{ field: 'definition', description: 'cannot be stored' }]);
  return { definition: judged.definition, warnings: judged.faults };
}

/** Judges with what the market service says of the indicators. @throws UNAVAILABLE when it cannot be asked. */
export async function judgeWithIndicators(
  catalogue: IndicatorCatalogue,
  asker: Asker,
  reading: Reading,
): Promise<Judgement> {
  const ids = reading.conditions.flatMap(({ indicatorId }) => indicatorId ?? []);
  return judge(reading, ids.length === 0 ? undefined : await catalogue.verdicts(asker, ids));
}
