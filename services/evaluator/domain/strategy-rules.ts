/** Operators of conditions, as they are written in a strategy's JSON form. */
export type Operator = '>' | '>=' | '<' | '<=' | '==' | '!=';

/** One comparison of an indicator with a finite value. */
export interface RuleCondition {
  readonly id: string;
  readonly indicatorId: string;
  readonly operator: Operator;
  readonly value: number;
}

interface RuleSection {
  readonly conditions: readonly RuleCondition[];
}

/**
 * What evaluation needs of a strategy's definition; sizes, stops and targets are for whoever carries the intents out. A parsed
 * definition of the strategy service fits as it is.
 */
export interface StrategyRules {
  readonly strategyName: string;
  readonly s1Signal?: RuleSection | undefined;
  readonly z1Entry?: RuleSection | undefined;
  readonly ze1Close?: RuleSection | undefined;
  readonly o1Cancel?:
    | (RuleSection & {
        /** Since the signal; 0 or absent: none. */
        readonly timeoutSeconds?: number | undefined;
        /** From the cancellation; absent: 0. */
        readonly cooldownMinutes?: number | undefined;
      })
    | undefined;
  readonly emergencyExit?:
    | (RuleSection & {
        /** From the exit; absent: 0. */
        readonly cooldownMinutes?: number | undefined;
        /** Absent: both. */
        readonly actions?: { readonly cancelPending: boolean; readonly closePosition: boolean } | undefined;
      })
    | undefined;
}
