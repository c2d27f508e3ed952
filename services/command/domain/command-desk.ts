import type { StatusError } from '../../platform/errors.ts';
import type { Command } from './command.ts';
import type { IssueOrder } from './issue.ts';
import type { OperatorWord } from './settlement.ts';

/** What became of one order. */
export type IssueOutcome =
  /** `already`: an earlier order with the same request_id and fingerprint made it. */
  | { readonly type: 'issued'; readonly command: Command; readonly already: boolean }
  | { readonly type: 'refused'; readonly error: StatusError };

/** Where commands enter: the one place that makes them durable, cancels them, and takes an operator's word for their end. */
export interface CommandDesk {
  /** One outcome an order, in order; a refused order stops no other. All are of one account. */
  issue(orders: readonly IssueOrder[]): Promise<readonly IssueOutcome[]>;
  /**
   * Cancels at once what is PENDING, otherwise asks the agent. `cancelled` is true when the command is CANCELLED.
   * @throws NOT_FOUND, or FAILED_PRECONDITION when the command is terminal.
   */
  cancel(accountId: string, id: string): Promise<{ readonly command: Command; readonly cancelled: boolean }>;
  /**
   * Settles an unknown outcome by an operator's word. `already` is true when an operator had said the same before.
   * @throws NOT_FOUND, FAILED_PRECONDITION when there is nothing to settle, or ABORTED when others keep changing it.
   */
  settle(
    accountId: string,
    id: string,
    word: OperatorWord,
  ): Promise<{ readonly command: Command; readonly already: boolean }>;
}
