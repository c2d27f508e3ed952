import { TypeOverrides } from 'pg';

const TIMESTAMPTZ = 1184;
const BIGINT = 20;

/** `2024-05-06 07:08:09.123+00`, as Postgres writes it when the session's time zone is UTC. */
function millisecondsOf(value: string): number {
  return Date.parse(value.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
}

/** Times as milliseconds since the epoch and bigints as numbers (all of ours stay far below 2^53). */
export const rowTypes = new TypeOverrides();
rowTypes.setTypeParser(TIMESTAMPTZ, millisecondsOf);
rowTypes.setTypeParser(BIGINT, Number);

/** A prepared statement: named, so that each connection plans it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}
