import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { WatchCommandsResponse } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';

const PINGS = 60;
const ROUNDS = 5;

type CommandClient = ReturnType<TestStack['replicaCommandClient']>;

/** One event as a watcher saw it: which command, and what happened to it. */
function eventOf({ commandId, transitions }: WatchCommandsResponse): string {
  return `${commandId} ${transitions.map(({ cause }) => cause).join(',')}`;
}

/** Watches from a cursor until `count` events are there. */
async function collect(client: CommandClient, cursor: string | undefined, count: number) {
  const events: WatchCommandsResponse[] = [];
  const enough = new AbortController();
  const request = cursor === undefined ? { fromStart: true } : { cursor };
  for await (const response of client.watchCommands(request, { signal: enough.signal })) {
    if (response.commandId !== '') events.push(response);
    if (events.length === count) break;
  }
  enough.abort();
  return events;
}

async function storedEvents(databaseUrl: string): Promise<string[]> {
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  const { rows } = await database.query<{ command_id: string; causes: string }>(
    `SELECT command_id, (SELECT string_agg(step ->> 3, ',' ORDER BY at)
       FROM json_array_elements(steps -> 's') WITH ORDINALITY AS s(step, at)) AS causes
     FROM command.history WHERE account_id = 'main' ORDER BY number`,
  );
  await database.end();
  return rows.map(({ command_id: id, causes }) => `${id} ${causes}`);
}

/** Issues and cancels through one replica, one call after the other. */
async function issueAndCancel(client: CommandClient, executor: string): Promise<void> {
  for (let i = 0; i < PINGS; i++) {
    const { command } = await client.issueCommand({ executor, kind: { case: 'ping', value: {} } });
    if (i % 3 === 0) await client.cancelCommand({ id: command?.id ?? '' });
  }
}

describe('watching commands', () => {
  test('over two replicas that commit at once misses nothing and repeats nothing, wherever it resumes', async () => {
    await using stack = await startStack({ commandReplicas: 2, gateway: false });
    const clients = [stack.replicaCommandClient(0), stack.replicaCommandClient(1)] as const;
    await stack.createExecutor('a');
    await stack.createExecutor('b');
    const total = 2 * (PINGS + PINGS / 3);
    // Watched while it happens, by one watcher on each replica, with four writers on both.
    const [live, other] = await Promise.all([
      collect(clients[0], undefined, total),
      collect(clients[1], undefined, total),
      issueAndCancel(clients[0], 'a'),
      issueAndCancel(clients[1], 'b'),
    ]);
    const stored = await storedEvents(stack.databaseUrl);
    expect(stored).toHaveLength(total);
    expect(live.map(eventOf)).toEqual(stored);
    expect(other.map(eventOf)).toEqual(stored);
    // From any cursor, on the replica that did not give it.
    for (const at of [0, 1, Math.floor(total / 2), total - 2]) {
      const rest = await collect(clients[1], live[at]?.cursor ?? '', total - 1 - at);
      expect(rest.map(eventOf)).toEqual(stored.slice(at + 1));
      expect(rest.at(-1)?.cursor).toBe(live.at(-1)?.cursor);
    }
  });

  test('is woken through NATS by the other replica, and by its own clock without NATS', async () => {
    for (const nats of ['shared', 'none'] as const) {
      await using stack = await startStack({ commandReplicas: 2, gateway: false, nats });
      await stack.createExecutor('a');
      const stream = stack.replicaCommandClient(0).watchCommands({})[Symbol.asyncIterator]();
      const start = await stream.next();
      expect(start.value?.commandId).toBe('');
      const before = performance.now();
      for (let i = 0; i < ROUNDS; i++) {
        const issued = stack.replicaCommandClient(1).issueCommand({ executor: 'a', kind: { case: 'ping', value: {} } });
        const [event] = await Promise.all([stream.next(), issued]);
        expect(event.value?.transitions[0]?.cause).toBe('issued');
      }
      // Each round takes the watcher's own clock up to a second; a ring takes it milliseconds.
      expect(performance.now() - before).toBeLessThan(nats === 'shared' ? (ROUNDS * 1_000) / 2 : ROUNDS * 2_000);
      await stream.return?.();
    }
  });

  test('shows another account nothing, and refuses its cursors', async () => {
    await using stack = await startStack({ gateway: false });
    await stack.createExecutor('a');
    const client = stack.replicaCommandClient(0);
    await client.issueCommand({ executor: 'a', kind: { case: 'ping', value: {} } });
    const [event] = await collect(client, undefined, 1);
    const foreign = stack.replicaCommandClient(0, { ...FOUNDER, accountId: 'other' });
    const stream = foreign.watchCommands({ fromStart: true })[Symbol.asyncIterator]();
    expect((await stream.next()).value?.commandId).toBe('');
    await stream.return?.();
    const stolen = foreign.watchCommands({ cursor: event?.cursor ?? '' })[Symbol.asyncIterator]();
    await expect(stolen.next()).rejects.toThrow(/another account/);
  });
});
