import type { AcknowledgedAnswer, RecordedStep } from '../history-record.ts';
import type { RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';
import { isOperators } from './operators-word.ts';

/**
 * I12: a result acknowledged to the agent is durable: the history has taken it, as the command's end, as what settled it, or
 * as a passing failure that is tried again; or it came after an operator's word, which stands.
 */
export function* acknowledgedIsDurable(history: RecordedHistory): Iterable<Violation> {
  for (const answer of history.acknowledged) {
    const rows = history.rowsByCommand.get(answer.commandId) ?? [];
    if (rows.flatMap((row) => row.steps).some((step) => holds(step, answer))) continue;
    const command = history.commands.get(answer.commandId);
    const message = `agent ${answer.agent} was told that ${answer.state} of ${answer.commandId} is durable, and it is not in the history`;
    yield { invariant: 'I12', message, evidence: [answer, ...rows, ...(command === undefined ? [] : [command])] };
  }
}

function holds(step: RecordedStep, answer: AcknowledgedAnswer): boolean {
  if (step.to === answer.state || isOperators(step)) return true;
  return answer.retryable && step.from !== '' && step.to === 'PENDING' && step.cause.startsWith('failed');
}
