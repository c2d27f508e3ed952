import type { Definition } from '../domain/definition.ts';
import { readJson } from '../domain/parse-definition.ts';
import type { ChangeType, Revision } from '../domain/strategy-book.ts';

/** A revision as `run` gives it. */
export interface RevisionRow {
  readonly account_id: string;
  readonly number: number;
  readonly type: ChangeType;
  readonly strategy_id: string;
  readonly definition: string;
  readonly author: string;
  readonly digest: string;
  readonly time: number;
  readonly create_time: number;
}

export function readRevisionRow(row: RevisionRow): Revision {
  return {
    accountId: row.account_id,
    number: row.number,
    type: row.type,
    strategyId: row.strategy_id,
    definition: storedDefinition(row.definition),
    json: row.definition,
    author: row.author,
    digest: row.digest,
    createMs: row.create_time,
    timeMs: row.time,
  };
}

/** Undefined for what this release cannot read: one odd row must not stop those behind it. */
export function storedDefinition(json: string): Definition | undefined {
  const reading = readJson(json);
  return 'fault' in reading || reading.faults.length > 0 ? undefined : reading.definition;
}
