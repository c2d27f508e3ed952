/** Where a command stands in the agent. */
export type Stage = 'received' | 'running' | 'finished';

/** What the agent holds of a command that is delivered again. */
export interface KnownCommand {
  readonly attempt: number;
  readonly stage: Stage;
  /** Finished by a failure that said it may pass. */
  readonly failedRetryable: boolean;
}

/**
 * What to do with a delivery.
 * - `accept`: never seen; journal, acknowledge, execute.
 * - `execute_again`: a further attempt after a failure that may pass.
 * - `answer`: tell what is known; when `adoptAttempt`, under the delivery's higher number, since it asks as that attempt.
 */
export type DeliveryDecision =
  | { readonly action: 'accept' }
  | { readonly action: 'execute_again' }
  | { readonly action: 'answer'; readonly adoptAttempt: boolean };

/** Decides about a delivery so that no command takes effect twice, however often and in whatever order it arrives. */
export function decideDelivery(known: KnownCommand | undefined, attempt: number): DeliveryDecision {
  if (known === undefined) return { action: 'accept' };
  if (attempt <= known.attempt) return { action: 'answer', adoptAttempt: false };
  if (known.stage === 'finished' && known.failedRetryable) return { action: 'execute_again' };
  return { action: 'answer', adoptAttempt: true };
}
