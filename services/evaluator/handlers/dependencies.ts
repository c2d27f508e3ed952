import type { Clock } from '../../platform/clock.ts';
import type { Bell } from '../domain/bell.ts';
import type { EvaluationReader, InstanceBook } from '../domain/instance-book.ts';
import type { ExplainInstanceResponse } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import type { LiveView } from '../domain/live-view.ts';

/** What the handlers need. */
export interface EvaluatorHandlerDependencies {
  readonly book: InstanceBook;
  readonly reader: EvaluationReader;
  readonly clock: Clock;
  /** What somebody wants of instances has changed. */
  readonly wanted: Bell;
  /** Outcomes are stored. */
  readonly outcomes: Bell;
  /** Owners have written. */
  readonly evaluations: Bell;
  /** Follows an account's strategies from now on: an activation is about to need them. */
  readonly follow: (accountId: string) => void;
  /** An instance as its owner has it in hand; undefined when it is not owned here. */
  readonly live: (instanceId: string) => LiveView | undefined;
  /** Asks the instance's owner; undefined when it cannot be reached. */
  readonly askOwner: (
    accountId: string,
    address: string,
    instanceId: string,
  ) => Promise<ExplainInstanceResponse | undefined>;
  /** The strategy that a stored instance runs; undefined when it cannot be had. */
  readonly storedView: (instanceId: string, accountId: string) => Promise<LiveView | undefined>;
  readonly ownerId: string;
}
