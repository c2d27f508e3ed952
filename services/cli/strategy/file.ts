import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { messageOf } from '../../platform/errors.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';

/** A strategy in the JSON form from a file, or from the standard input for "-". @throws CliError usage. */
export async function readStrategyFile(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (thrown) {
    throw usageError(`${path} cannot be read: ${messageOf(thrown)}`, thrown);
  }
}

/** The name that a strategy in the JSON form gives itself. @throws CliError usage. */
export function nameInFile(json: string, path: string): string {
  let form: unknown;
  try {
    form = JSON.parse(json);
  } catch (thrown) {
    throw usageError(`${path} is not JSON: ${messageOf(thrown)}`, thrown);
  }
  const names = typeof form === 'object' && form !== null ? new Map<string, unknown>(Object.entries(form)) : new Map();
  const name: unknown = names.get('strategy_name') ?? names.get('strategyName');
  if (typeof name !== 'string' || name === '') throw usageError(`${path} has no strategy_name`);
  return name;
}

/** The JSON form for people's eyes and editors. */
export function prettyForm(json: string): string {
  return `${JSON.stringify(JSON.parse(json), undefined, 2)}\n`;
}

/** Writes the JSON form into a file, in place of what is there. @throws CliError. */
export async function writeStrategyFile(path: string, json: string): Promise<void> {
  try {
    await writeFile(path, prettyForm(json));
  } catch (thrown) {
    throw new CliError(EXIT.failed, `${path} cannot be written: ${messageOf(thrown)}`, { cause: thrown });
  }
}
