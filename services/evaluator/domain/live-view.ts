import type { RuleSectionName } from './compiled-strategy.ts';
import type { ConditionResult, InstanceData } from './instance.ts';
import type { Freshness } from './stored-instance.ts';

/** A section as it would be decided now. */
export interface SectionNow {
  readonly section: RuleSectionName;
  /** Looked at in the present state. */
  readonly active: boolean;
  readonly conditions: readonly ConditionResult[];
}

/** An instance as whoever runs it sees it. */
export interface LiveView {
  readonly data: InstanceData;
  readonly freshness: Freshness;
  readonly evaluatedMs: number;
  readonly paused: boolean;
  readonly sections: readonly SectionNow[];
  /** False when the values are not known here, because the owner was not reached. */
  readonly valuesKnown: boolean;
}
