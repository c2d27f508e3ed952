import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Journal, JournalEntry } from './journal.ts';
import { openJournal } from './sqlite-journal.ts';

let directory: string;
let journal: Journal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-journal-'));
  journal = openJournal(directory);
});

afterEach(async () => {
  await journal.close();
  rmSync(directory, { recursive: true });
});

const at = (wallMs: number) => ({ wallMs, uptimeMs: wallMs / 10 });

function entry(commandId: string, over: Partial<JournalEntry> = {}): JournalEntry {
  return {
    commandId,
    sequence: 1,
    attempt: 1,
    orderingKey: '/s',
    kind: 'stop_session',
    delivery: Uint8Array.of(1, 2, 3),
    stage: 'received',
    receivedAt: at(1_000),
    acknowledged: false,
    rememberForMs: 60_000,
    ...over,
  };
}

async function reopen(): Promise<void> {
  await journal.close();
  journal = openJournal(directory);
}

/** Changes the file behind the journal's back, as a damaged disk would. */
async function damage(sql: string): Promise<void> {
  await journal.close();
  const database = new DatabaseSync(join(directory, 'journal.db'));
  database.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
  database.close();
  journal = openJournal(directory);
}

describe('the journal', () => {
  test('keeps its id and what it was told, across a restart', async () => {
    const { id } = journal;
    await journal.receive([entry('b', { sequence: 2 }), entry('a', { sequence: 1 })]);
    await journal.start('a', at(2_000));
    await journal.finish('a', at(3_000), Uint8Array.of(9));
    await reopen();
    expect(journal.id).toBe(id);
    const { entries, damaged } = journal.load();
    expect(damaged).toEqual([]);
    expect(entries.map((loaded) => [loaded.commandId, loaded.stage])).toEqual([
      ['a', 'finished'],
      ['b', 'received'],
    ]);
    expect(entries[0]).toMatchObject({ startedAt: at(2_000), finishedAt: at(3_000), answer: Uint8Array.of(9) });
  });

  test('a start asked for in the turn of the receipt is on disk with it', async () => {
    const received = journal.receive([entry('a'), entry('b', { sequence: 2 })]);
    await journal.start('a', at(1_000));
    await received;
    expect(journal.load().entries.map((loaded) => loaded.stage)).toEqual(['running', 'received']);
  });

  test('an acknowledged answer is no longer open, is found by its id, and is forgotten in its time', async () => {
    await journal.receive([entry('a')]);
    await journal.finish('a', at(3_000), Uint8Array.of(9));
    await journal.acknowledge(['a']);
    expect(journal.load().entries).toEqual([]);
    expect(journal.find('a')).toMatchObject({ acknowledged: true });
    expect(journal.prune(3_000 + 60_000)).toBe(0);
    expect(journal.prune(3_000 + 60_001)).toBe(1);
    expect(journal.find('a')).toBeUndefined();
  });

  test('what is not acknowledged is never forgotten', async () => {
    await journal.receive([entry('a')]);
    await journal.finish('a', at(3_000), Uint8Array.of(9));
    expect(journal.prune(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  test('an acknowledgement of a command that runs again changes nothing', async () => {
    await journal.receive([entry('a')]);
    await journal.acknowledge(['a']);
    expect(journal.load().entries).toHaveLength(1);
  });

  test('a better answer makes the entry open again', async () => {
    await journal.receive([entry('a')]);
    await journal.finish('a', at(3_000), Uint8Array.of(9));
    await journal.acknowledge(['a']);
    await journal.finish('a', at(4_000), Uint8Array.of(8));
    expect(journal.load().entries).toMatchObject([{ commandId: 'a', answer: Uint8Array.of(8), acknowledged: false }]);
  });

  test('lists the newest stop of each key, acknowledged ones included', async () => {
    await journal.receive([
      entry('old', { sequence: 1 }),
      entry('new', { sequence: 5 }),
      entry('all', { sequence: 3, orderingKey: '/', kind: 'stop_all' }),
      entry('open', { sequence: 9, kind: 'open_position' }),
    ]);
    await journal.finish('new', at(3_000), Uint8Array.of(9));
    await journal.acknowledge(['new']);
    expect(journal.stops().toSorted((a, b) => a.sequence - b.sequence)).toEqual([
      { commandId: 'all', kind: 'stop_all', orderingKey: '/', sequence: 3 },
      { commandId: 'new', kind: 'stop_session', orderingKey: '/s', sequence: 5 },
    ]);
  });

  test('a row that makes no sense is listed with its defect and hides no other', async () => {
    await journal.receive(['a', 'b', 'c', 'd'].map((id, sequence) => entry(id, { sequence })));
    await damage(`
      UPDATE entry SET stage = 'dancing' WHERE command_id = 'a';
      UPDATE entry SET sequence = 9223372036854775807 WHERE command_id = 'b';
      UPDATE entry SET stage = 'finished' WHERE command_id = 'c'`);
    const { entries, damaged } = journal.load();
    expect(entries.map((loaded) => loaded.commandId)).toEqual(['d']);
    expect(damaged.map(({ commandId, defect }) => `${commandId}: ${defect}`).toSorted()).toEqual([
      'a: column stage holds "dancing"',
      'b: column sequence holds no number that can be used',
      'c: column answer is empty, and the entry is finished',
    ]);
    const first = damaged.find(({ commandId }) => commandId === 'a');
    if (first === undefined) throw new Error('the damaged row is not listed');
    await journal.setAside(first, at(5_000), Uint8Array.of(7));
    expect(journal.find('a')).toMatchObject({ stage: 'finished', answer: Uint8Array.of(7), attempt: 1 });
    expect(journal.load().damaged).toHaveLength(2);
  });

  test('a failed transaction rejects all that waited for it, and everything after it', async () => {
    const unstorable = entry('a', { attempt: Number.NaN });
    const together = [journal.receive([unstorable]), journal.receive([entry('b', { sequence: 2 })])];
    const outcomes = await Promise.allSettled(together);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    await expect(journal.receive([entry('c')])).rejects.toThrow('the journal cannot be written');
    await reopen();
    expect(journal.load().entries).toEqual([]);
  });
});

describe('opening a journal', () => {
  test('a second process is refused, and told who holds it', () => {
    const script = `import { openJournal } from ${JSON.stringify(join(import.meta.dirname, 'sqlite-journal.ts'))};
      openJournal(${JSON.stringify(directory)});`;
    const second = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`in use by process ${process.pid} on`);
    expect(second.stderr).toContain(join(directory, 'journal.lock'));
  });

  test('a second journal of the same process is refused too', () => {
    expect(() => openJournal(directory)).toThrow('is in use by');
  });

  test('a journal of a newer agent is refused, and left alone', async () => {
    await journal.close();
    const database = new DatabaseSync(join(directory, 'journal.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openJournal(directory)).toThrow(/schema version 99, and this agent knows up to 1/);
    const again = new DatabaseSync(join(directory, 'journal.db'));
    again.exec('PRAGMA user_version = 1');
    again.close();
    journal = openJournal(directory);
  });

  test.each([
    ['cut off', (file: string) => truncateSync(file, 5_000)],
    ['something else', (file: string) => writeFileSync(file, 'x'.repeat(20_000))],
  ])('a file that is %s is refused, with what to do', async (_, spoil) => {
    await journal.receive(Array.from({ length: 200 }, (__, sequence) => entry(`e${sequence}`, { sequence })));
    await journal.close();
    spoil(join(directory, 'journal.db'));
    for (const beside of ['-wal', '-shm']) rmSync(join(directory, `journal.db${beside}`), { force: true });
    expect(() => openJournal(directory)).toThrow(/journal\.db is damaged \(.+\): move its directory away/);
    rmSync(join(directory, 'journal.db'));
    journal = openJournal(directory);
  });

  test('nobody else on the machine can read it', () => {
    expect(statSync(join(directory, 'journal.db')).mode & 0o077).toBe(0);
  });
});
