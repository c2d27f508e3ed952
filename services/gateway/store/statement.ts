/** A prepared statement: `name` is unique in the service, and a test prepares each against the migrated schema. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}
