/** What back-tests run in their own process: pure, and the same as in live use. */
export {
  type EntryOrder,
  type EntryRejection,
  type EntryTerms,
  type ExitOffset,
  entryOrder,
} from './domain/sizing.ts';
