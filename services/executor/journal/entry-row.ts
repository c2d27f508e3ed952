import type { SQLOutputValue } from 'node:sqlite';
import type { JournaledReading } from '../domain/start-deadline.ts';
import type { DamagedEntry, JournalEntry } from './journal.ts';

type Row = Record<string, SQLOutputValue>;

/** Bind values of an entry, in the order of the table's columns. The rows that are read have integers as bigint. */
export function entryToRow(entry: JournalEntry): (string | number | Uint8Array | null)[] {
  return [
    entry.commandId,
    entry.sequence,
    entry.attempt,
    entry.orderingKey,
    entry.kind,
    entry.delivery,
    entry.stage,
    entry.receivedAt.wallMs,
    entry.receivedAt.uptimeMs,
    entry.startedAt?.wallMs ?? null,
    entry.startedAt?.uptimeMs ?? null,
    entry.finishedAt?.wallMs ?? null,
    entry.finishedAt?.uptimeMs ?? null,
    entry.answer ?? null,
    entry.acknowledged ? 1 : 0,
    entry.rememberForMs,
  ];
}

/** An entry from its row, or what is wrong with the row. One row that makes no sense never hides another. */
export function readEntry(row: Row): JournalEntry | DamagedEntry {
  try {
    return entryFromRow(row);
  } catch (thrown) {
    const attempt = Number(row['attempt']);
    return {
      commandId: String(row['command_id']),
      attempt: Number.isSafeInteger(attempt) ? attempt : 0,
      defect: thrown instanceof Error ? thrown.message : String(thrown),
    };
  }
}

function entryFromRow(row: Row): JournalEntry {
  const stage = row['stage'];
  if (stage !== 'received' && stage !== 'running' && stage !== 'finished') {
    throw new Error(`column stage holds "${String(stage)}"`);
  }
  const receivedAt = readReading(row, 'received');
  if (receivedAt === undefined) throw new Error('column received_wall_ms holds no time');
  const startedAt = readReading(row, 'started');
  const answer = row['answer'] === null ? undefined : readBytes(row, 'answer');
  if (stage === 'finished' && answer === undefined)
    throw new Error('column answer is empty, and the entry is finished');
  if (stage === 'running' && startedAt === undefined)
    throw new Error('column started_wall_ms is empty, and the entry is running');
  return {
    commandId: readText(row, 'command_id'),
    sequence: readNumber(row, 'sequence'),
    attempt: readNumber(row, 'attempt'),
    orderingKey: readText(row, 'ordering_key'),
    kind: readText(row, 'kind'),
    delivery: readBytes(row, 'delivery'),
    stage,
    receivedAt,
    startedAt,
    finishedAt: readReading(row, 'finished'),
    answer,
    acknowledged: row['acknowledged'] === 1n,
    rememberForMs: readNumber(row, 'remember_for_ms'),
  };
}

/** A row as JSON text for people, bytes in hexadecimal. */
export function describeRow(row: Row): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    return typeof value === 'bigint' ? value.toString() : value;
  });
}

function readReading(row: Row, moment: 'received' | 'started' | 'finished'): JournaledReading | undefined {
  if (row[`${moment}_wall_ms`] === null) return undefined;
  return { wallMs: readNumber(row, `${moment}_wall_ms`), uptimeMs: readNumber(row, `${moment}_uptime_ms`) };
}

function readText(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} holds no text`);
  return value;
}

function readNumber(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === 'bigint' ? Number(value) : value;
  const readable = typeof number === 'number' && Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER;
  if (!readable) throw new Error(`column ${column} holds no number that can be used`);
  return number;
}

function readBytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new Error(`column ${column} holds no bytes`);
  return value;
}
