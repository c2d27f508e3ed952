export type {
  Condition,
  Definition,
  EmergencyActions,
  ExitOffset,
  Fault,
  Operator,
  PositionSize,
  Section,
} from './domain/definition.ts';
export { SECTION_NAMES, SECTIONS } from './domain/definition.ts';
export { type FieldChange, diffDefinitions } from './domain/diff-definitions.ts';
export { toJsonForm } from './domain/json-form.ts';
export { parseDefinition } from './domain/parse-definition.ts';
