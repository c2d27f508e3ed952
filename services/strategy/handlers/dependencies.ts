import type { Clock } from '../../platform/clock.ts';
import type { EvaluatorFleet, IndicatorCatalogue, StrategyUses } from '../domain/neighbours.ts';
import type { ChangeBell, NewStrategy, StrategyBook, StrategyUpdate, WriteOutcome } from '../domain/strategy-book.ts';

/** Writes changes one after another, and has them told. */
export interface ChangeWriter {
  create(order: NewStrategy): Promise<WriteOutcome>;
  update(order: StrategyUpdate): Promise<WriteOutcome>;
  delete(accountId: string, id: string, author: string): Promise<WriteOutcome>;
}

/** What the handlers need; `service.ts` provides it. */
export interface StrategyHandlerDependencies {
  readonly desk: ChangeWriter;
  readonly book: StrategyBook;
  readonly bell: ChangeBell;
  readonly catalogue: IndicatorCatalogue;
  readonly uses: StrategyUses;
  readonly fleet: EvaluatorFleet;
  readonly clock: Clock;
}
