/** How a condition compares, as it is written in the JSON form. */
export type Operator = '>' | '>=' | '<' | '<=' | '==' | '!=';

/** True when the indicator has a fresh value that compares as asked. */
export interface Condition {
  /** Unique within the strategy. */
  readonly id: string;
  /** Lower case, with '_' for '-' and blanks. */
  readonly indicatorId: string;
  readonly operator: Operator;
  /** Finite. */
  readonly value: number;
}

/** The margin of an entry: percent of the equity, or an amount of the quote asset; before leverage. */
export interface PositionSize {
  readonly type: 'percentage' | 'fixed';
  readonly value: number;
}

/** Distance of a stop or target from the entry's price, in percent of it. */
export interface ExitOffset {
  readonly enabled: boolean;
  readonly offsetPercent: number;
}

/** What an emergency exit does. */
export interface EmergencyActions {
  /** A signal or an entry under way is given up. */
  readonly cancelPending: boolean;
  /** An open position is closed. */
  readonly closePosition: boolean;
}

/**
 * A strategy as a person writes it. Conditions of a section are joined by AND, and a section without conditions never fires.
 * Absent fields are absent keys. Spans in the unit of their names, percentages as 2 for two percent, `Pct` limits as said.
 */
export interface Definition {
  readonly strategyName: string;
  readonly description?: string;
  readonly s1Signal: { readonly conditions: readonly Condition[] };
  readonly z1Entry: {
    readonly conditions: readonly Condition[];
    /** Absent: `globalLimits.basePositionPct` of the equity. */
    readonly positionSize?: PositionSize;
    readonly stopLoss?: ExitOffset;
    readonly takeProfit?: ExitOffset;
    /** 1 to `globalLimits.maxLeverage`; absent: 1. */
    readonly leverage?: number;
  };
  readonly ze1Close: { readonly conditions: readonly Condition[] };
  readonly o1Cancel: {
    readonly conditions: readonly Condition[];
    /** Since the signal; absent or 0: no timeout. */
    readonly timeoutSeconds?: number;
    /** Absent: 0. */
    readonly cooldownMinutes?: number;
  };
  readonly emergencyExit: {
    readonly conditions: readonly Condition[];
    /** Absent: 0. */
    readonly cooldownMinutes?: number;
    /** Absent: both. */
    readonly actions?: EmergencyActions;
  };
  readonly globalLimits: {
    /** Fraction of the equity: 0.02 is two percent. */
    readonly basePositionPct?: number;
    /** Absent: 1. */
    readonly maxLeverage?: number;
    /** Percent of the way from entry to liquidation that must lie behind the stop loss; absent: 0. */
    readonly stopLossBufferPct?: number;
  };
}

/** The sections that hold conditions, in the order in which they are written. */
export const SECTIONS = ['s1Signal', 'z1Entry', 'ze1Close', 'o1Cancel', 'emergencyExit'] as const;
export type Section = (typeof SECTIONS)[number];

/** Name of a section in the JSON form. */
export const SECTION_NAMES: Readonly<Record<Section, string>> = {
  s1Signal: 's1_signal',
  z1Entry: 'z1_entry',
  ze1Close: 'ze1_close',
  o1Cancel: 'o1_cancel',
  emergencyExit: 'emergency_exit',
};

/** One thing that is wrong with a definition. */
export interface Fault {
  /** Where, as a path of the JSON form, such as `s1_signal.conditions[0].value`; empty: the whole. */
  readonly field: string;
  /** What is wrong and what to write instead. */
  readonly description: string;
  /** Allowed, but surely not meant. */
  readonly warning: boolean;
}

/** The conditions of all sections, each with its section. */
export function conditionsOf(definition: Definition): { readonly section: Section; readonly condition: Condition }[] {
  return SECTIONS.flatMap((section) => definition[section].conditions.map((condition) => ({ section, condition })));
}
