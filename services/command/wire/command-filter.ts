import { CommandStateSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { CommandFilter as WireFilter } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { CommandState } from '../domain/command.ts';
import type { FieldChecks } from './field-checks.ts';
import { KIND_NAMES } from './payload.ts';
import { stateFromProto } from './state.ts';

const STATES_MAX = 20;
const KINDS_MAX = 50;

/** A checked filter; empty parts match everything. Sorted and without repetition, so that equal filters are equal. */
export interface ParsedFilter {
  /** Name or id; empty for all. */
  readonly executor: string;
  readonly states: readonly CommandState[];
  readonly kinds: readonly string[];
}

export function parseFilter(filter: WireFilter | undefined, checks: FieldChecks): ParsedFilter {
  if (filter === undefined) return { executor: '', states: [], kinds: [] };
  checks.text('executor', filter.executor);
  if (filter.states.length > STATES_MAX) checks.add('states', `must have at most ${STATES_MAX} entries`);
  const states = filter.states.slice(0, STATES_MAX).flatMap((number, index): readonly CommandState[] => {
    checks.enumeration(`states[${index}]`, CommandStateSchema, number, { required: true });
    const state = stateFromProto(number);
    return state === undefined ? [] : [state];
  });
  if (filter.kinds.length > KINDS_MAX) checks.add('kinds', `must have at most ${KINDS_MAX} entries`);
  const kinds = filter.kinds.slice(0, KINDS_MAX);
  kinds.forEach((kind, index) => {
    if (!KIND_NAMES.includes(kind))
      checks.add(`kinds[${index}]`, `is not a kind; the kinds are ${KIND_NAMES.join(', ')}`);
  });
  return { executor: filter.executor, states: distinct(states), kinds: distinct(kinds) };
}

function distinct<T extends string>(values: readonly T[]): T[] {
  return [...new Set(values)].toSorted();
}
