import { type DescMessage, type JsonValue, type MessageShape, toJson } from '@bufbuild/protobuf';
import Table from 'cli-table3';
import colors from 'picocolors';
import type { Failure } from './errors.ts';

/** Tables and sentences for people, or proto JSON for programs: every command writes both through this. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** A line for people; nothing with --json. */
  say(line: string): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  /** A remark that must not mix with the output. */
  note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /** One document, for commands that answer with one thing. */
  document(value: JsonValue): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** One line, for lists and watches. */
  jsonLine(value: JsonValue): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Rows for people; a sentence when there are none. */
  table(head: readonly string[], rows: readonly (readonly string[])[], whenEmpty: string): void {
    if (this.json) return;
    if (rows.length === 0) {
      this.say(whenEmpty);
      return;
    }
    const table = new Table({
      head: head.map((title) => colors.dim(title)),
      chars: BARE,
      style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
    });
    table.push(...rows.map((row) => [...row]));
    this.say(trimmed(table.toString()));
  }

  /** Names and values below each other for people; empty values are left out. */
  details(entries: readonly (readonly [string, string | undefined])[]): void {
    const shown = entries.filter(([, value]) => value !== undefined && value !== '');
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    for (const [name, value] of shown) this.say(`${colors.dim(name.padEnd(width))}  ${value}`);
  }

  failure(failure: Failure): void {
    if (this.json) {
      const { exitCode: _, ...error } = failure;
      process.stderr.write(`${JSON.stringify({ error })}\n`);
      return;
    }
    const reason = failure.reason === undefined ? '' : colors.dim(` [${failure.reason}]`);
    this.note(`${colors.red('error:')} ${failure.message}${reason}`);
    const violations = failure.violations ?? [];
    // One violation is the message already.
    if (violations.length > 1) {
      for (const { field, description } of violations) this.note(`  ${colors.bold(field)}: ${description}`);
    }
    if (failure.requestId !== undefined && !failure.message.includes(failure.requestId))
      this.note(colors.dim(`  request id ${failure.requestId}`));
    if (failure.hint !== undefined) this.note(`  ${failure.hint}`);
  }
}

/** Proto JSON with every plain field present, so that programs need not know what a missing one means. */
export function protoJson<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}

const BARE = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);

function trimmed(table: string): string {
  return table
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
