import type { Computation } from './computation.ts';

/** A number within an indicator's id. */
export interface Parameter {
  readonly name: string;
  readonly defaultValue: number;
  readonly minValue: number;
  readonly maxValue: number;
  /** True: whole numbers only. */
  readonly whole: boolean;
  readonly description: string;
}

/** A family of ids: its name, its parameters in order, and, where it has several, the name of one of its outputs. */
export interface Family {
  readonly family: string;
  readonly title: string;
  readonly description: string;
  /** In words and symbols, complete. */
  readonly formula: string;
  readonly unit: string;
  readonly parameters: readonly Parameter[];
  /** Names at the end of the id; empty for a family with one value. */
  readonly outputs: readonly string[];
  /** Output meant by an id that names none; undefined when one must be named. */
  readonly defaultOutput?: string;
  readonly examples: readonly string[];
  /** What is wrong with values that are in range one by one; undefined when nothing is. */
  readonly refuse?: (values: readonly number[]) => string | undefined;
  /** Candles before `output` has a value, for the parameters. */
  readonly warmUp: (values: readonly number[], output: string) => number;
  readonly create: (values: readonly number[]) => Computation;
}

/** A whole number of candles. */
export function period(defaultValue: number, minValue: number, maxValue: number, name = 'period'): Parameter {
  return { name, defaultValue, minValue, maxValue, whole: true, description: `number of candles, ${name}` };
}
