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
export { type FieldChange, diffDefinitions } from './domain/diff-definitions.ts';
export { toJsonForm } from './domain/json-form.ts';
export type { IndicatorVerdict } from './domain/judge-definition.ts';
export { parseDefinition } from './domain/parse-definition.ts';
