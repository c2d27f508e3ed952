import { usageError } from '../terminal/errors.ts';

/** A revision number of the command line. @throws CliError usage. */
export function parseRevision(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,15}$/.test(text)) throw usageError(`"${text}" is not a revision; write a number from 1`);
  return BigInt(text);
}
