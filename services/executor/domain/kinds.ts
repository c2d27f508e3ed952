/** Kinds by the names of their `oneof` cases in the protos, as they stand in `Hello.kinds`, the journal and the configuration. */

/** Entries open something, or allow it again: they die when they are stale. */
const ENTRY_KINDS: ReadonlySet<string> = new Set(['start_strategy', 'start_session', 'open_position', 'resume']);

/** What a stop makes pointless when it was issued before the stop and has not started, within the stop's key. */
const SUPERSEDED_BY_STOP: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['stop_strategy', new Set(['start_strategy'])],
  ['stop_session', new Set(['start_strategy', 'start_session'])],
  ['stop_all', ENTRY_KINDS],
]);

export function isEntryKind(kind: string): boolean {
  return ENTRY_KINDS.has(kind);
}

export function isStopKind(kind: string): boolean {
  return SUPERSEDED_BY_STOP.has(kind);
}

/** The kinds whose commands remember that a stop was issued. */
export const STOP_KINDS: readonly string[] = [...SUPERSEDED_BY_STOP.keys()];

/** Whether a stop of kind `stop` makes an earlier command of `kind` within its key pointless. */
export function stopSupersedes(stop: string, kind: string): boolean {
  return SUPERSEDED_BY_STOP.get(stop)?.has(kind) ?? false;
}
