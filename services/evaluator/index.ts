/**
 * The evaluator's rules without its servers, for back-tests: what a strategy decides at each event, as pure functions of state,
 * event and values.
 */
export { type CompiledStrategy, compileStrategy } from './domain/compiled-strategy.ts';
export type {
  ConditionResult,
  EvaluationRecord,
  Gate,
  InstanceData,
  InstanceState,
  IntentRecord,
  IntentType,
  MarketMoment,
  OutcomeRecord,
  OutcomeType,
  Section,
  Step,
} from './domain/instance.ts';
export { InstanceMachine, type MachineOptions, type StrategyRevision } from './domain/instance-machine.ts';
export type { Operator, RuleCondition, StrategyRules } from './domain/strategy-rules.ts';
