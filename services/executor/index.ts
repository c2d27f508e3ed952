/**
 * The executor agent as a library: write an adapter for a venue, and this does the rest.
 *
 * ```ts
 * import { createExecutor, readCredentials, type Adapter } from 'strategos/executor';
 * ```
 */
export type {
  Adapter,
  AdapterCommand,
  AdapterContext,
  AdapterNotices,
  CommandBody,
  CommandCase,
  ExecutionContext,
  Outcome,
  OutcomeReason,
  PriceNews,
  PriceWish,
  Recovery,
  ResultInit,
  SessionPolicy,
  StatusInit,
  VenueEventJournal,
} from './adapters/adapter.ts';
export { createPaperAdapter, type PaperOptions } from './adapters/paper/paper-adapter.ts';
export {
  type PaperDeal,
  type PaperEntry,
  type PaperExecution,
  type PaperExit,
  type PaperPrice,
  PaperVenue,
  type PaperVenueOptions,
} from './adapters/paper/paper-venue.ts';
export { tagOf } from './adapters/tag.ts';
export { createExecutor, type Executor, type ExecutorOptions, type ExecutorState } from './agent.ts';
export { type AgentClock, agentSystemClock } from './agent-clock.ts';
export { authorization, type ExecutorCredentials, readCredentials } from './credentials.ts';
export type { LocalLimits } from './domain/local-limits.ts';
export type { DamagedEntry, Journal, JournalContents, JournalEntry } from './journal/journal.ts';
export { openJournal } from './journal/sqlite-journal.ts';
export { Secret } from '../platform/config.ts';
export { createLogger, type Logger } from '../platform/logger.ts';
