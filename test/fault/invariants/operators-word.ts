import type { RecordedStep } from '../history-record.ts';

/** Whether a step was taken by the word of an operator, who has looked at the venue. */
export function isOperators(step: RecordedStep): boolean {
  return step.cause === 'settled by an operator';
}
