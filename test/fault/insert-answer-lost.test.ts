import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Command } from '../../services/command/domain/command.ts';
import { issue } from '../../services/command/domain/issue.ts';
import { RECEIVE_WITHIN_MS } from '../../services/command/domain/kind.ts';
import { createDatabase, type TestDatabase } from '../harness/database.ts';
import { FlowReplica } from '../harness/flow-replica.ts';
import { LedgerReplica } from '../harness/ledger-replica.ts';
import { EPOCH, newExecutor, stored } from '../harness/ledger-scenes.ts';
import { sampleOrder } from '../harness/sample-commands.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';

/** So many rows that changes are written beside new commands. */
const MANY = 100;
const ENTRY = { kind: 'open_position', orderingKey: '/s1/a/X' } as const;

let stack: AsyncDisposableStack;
let database: TestDatabase;
let observer: Client;
let cable: TcpProxy;
let replica: LedgerReplica;
let executorId: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createDatabase());
  observer = new Client({ connectionString: database.url });
  await observer.connect();
  stack.defer(() => observer.end());
  const url = new URL(database.url);
  cable = stack.use(await TcpProxy.start(Number(url.port)));
  url.port = String(cable.port);
  replica = stack.use(new LedgerReplica(url.href));
  executorId = await newExecutor(replica);
  replica.streams.held.set(executorId, EPOCH);
  await replica.ledger.sync();
  await replica.insert({ id: randomUUID(), executorId });
});

afterEach(() => stack.disposeAsync());

/** Stores two commands whose answer never comes back; gives their ids once their caller has been told. */
async function insertWithoutAnswer(): Promise<string[]> {
  const ids = [randomUUID(), randomUUID()];
  const rows = ids.map((id) => {
    const { command, step } = issue(sampleOrder({ id, executorId }), Date.now());
    return { command, step, sent: null };
  });
  cable.blackhole('down');
  const inserted = replica.ledger.insert(rows);
  await until(async () => {
    const { rowCount } = await observer.query('SELECT FROM command.command WHERE id = ANY($1)', [ids]);
    return rowCount === ids.length;
  }, 'the commands are stored');
  cable.heal();
  expect(await inserted).toMatchObject(ids.map(() => ({ name: 'StatusError', code: 'Unavailable' })));
  return ids;
}

function merged(): Pick<Command, 'id' | 'state'>[] {
  return replica.streams.merged.map(({ id, state }) => ({ id, state }));
}

test('whoever asked is told UNAVAILABLE, nothing goes out, and the next look tells the streams what was stored', async () => {
  const ids = await insertWithoutAnswer();
  expect(replica.streams.confirmed).toHaveLength(1);
  expect(replica.streams.released.map(({ id }) => id)).toEqual(ids);
  expect(merged()).toEqual([]);
  await replica.ledger.sync();
  expect(merged()).toEqual(ids.map((id) => ({ id, state: 'SENT' })));
});

test('so does the next insert, which goes out after them: it is stored PENDING', async () => {
  const ids = await insertWithoutAnswer();
  const next = await replica.insert({ id: randomUUID(), executorId });
  expect(next?.state).toBe('PENDING');
  expect(merged()).toEqual([...ids.map((id) => ({ id, state: 'SENT' })), { id: next?.id, state: 'PENDING' }]);
  const later = await replica.insert({ id: randomUUID(), executorId });
  expect(later?.state).toBe('SENT');
});

test('and so does the next change', async () => {
  const [command] = replica.streams.confirmed;
  if (command === undefined) throw new Error('a command was stored before');
  const ids = await insertWithoutAnswer();
  const changed = await replica.change(command, { type: 'cancel_requested' });
  expect(changed).not.toBeNull();
  expect(merged()).toEqual(ids.map((id) => ({ id, state: 'SENT' })));
});

function failure(code: string): Error {
  return Object.assign(new Error(`read ${code}`), { code });
}

/** No receipt comes of what was stored as sent, so it goes out after all; only when it has ended, the later one does. */
async function expectInOrder(here: FlowReplica, earlierId: string, laterId: string): Promise<void> {
  here.advance(RECEIVE_WITHIN_MS);
  await until(() => here.delivered.length > 0, 'one of them is sent');
  expect(here.delivered).toEqual([earlierId]);
  here.finish(earlierId);
  await until(() => here.delivered.length > 1, 'the other one is sent');
  expect(here.delivered).toEqual([earlierId, laterId]);
}

test('a command that was stored goes before what another replica stored until its answer was lost', async () => {
  const here = stack.use(await FlowReplica.open(database.url, await newExecutor(replica)));
  const ping = { kind: 'ping', orderingKey: '', executorId } as const;
  const others = await Promise.all(Array.from({ length: MANY }, () => here.insert(ping)));

  const answer = here.answers.hold('insert_commands');
  const id = randomUUID();
  const inserted = here.insert({ ...ENTRY, id });
  await answer.stored;
  const foreign = await replica.insert({ ...ENTRY, executorId: here.executorId, id: randomUUID() });
  if (foreign === null) throw new Error('the request id is taken');
  const changed = Promise.all(others.map((command) => here.cancel(command)));
  await here.answers.handled('change_commands');
  answer.lose(failure('ECONNRESET'));

  await expect(inserted).rejects.toMatchObject({ name: 'StatusError', code: 'Unavailable' });
  expect(new Set(await changed)).toEqual(new Set([true]));
  expect((await stored(replica, [id])).get(id)?.state).toBe('SENT');
  await expectInOrder(here, id, foreign.id);
});

test('a command that was stored goes before the next one, whatever the error in place of its answer', async () => {
  const here = stack.use(await FlowReplica.open(database.url, await newExecutor(replica)));
  const answer = here.answers.hold('insert_commands');
  const id = randomUUID();
  const inserted = here.insert({ ...ENTRY, id });
  await answer.stored;
  answer.lose(failure('EPROTO'));
  await expect(inserted).rejects.toMatchObject({ name: 'StatusError', code: 'Unavailable' });

  expect((await stored(replica, [id])).get(id)?.state).toBe('SENT');
  const next = await here.insert(ENTRY);
  expect(next.state).toBe('PENDING');
  await expectInOrder(here, id, next.id);
});
