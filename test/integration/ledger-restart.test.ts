import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import type { Command } from '../../services/command/domain/command.ts';
import { commandReader } from '../../services/command/store/command-reader.ts';
import { StatusError } from '../../services/platform/errors.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { theServers } from '../harness/current-run.ts';
import { LedgerReplica } from '../harness/ledger-replica.ts';
import { EPOCH, follow, newExecutor, stored } from '../harness/ledger-scenes.ts';
import { stackDatabase } from '../harness/stack-servers.ts';
import { until } from '../harness/until.ts';

describe('when Postgres restarts in the middle', () => {
  test('changes are written once it is back, and an insert that was refused can be repeated without harm', async () => {
    const servers = await theServers();
    const directory = join(servers.directory, 'stacks');
    await mkdir(directory, { recursive: true });
    await using stack = new Stack();
    const data = dataDirectoryAt(await mkdtemp(join(directory, 'ledger-')));
    const { url, own } = await stackDatabase('own', { servers, data, stack });
    if (own === undefined) throw new Error('no server of its own');
    await using one = new LedgerReplica(url);
    const executorId = await newExecutor(one);

    const end = new AbortController();
    const changed: Command[] = [];
    const writer = async (n: number): Promise<void> => {
      for (let i = 0; !end.signal.aborted; i++) {
        const command = await insertRepeatedly(one, executorId, `r${n}-${i}`);
        const sent = await one.change(command, { type: 'sent', epoch: EPOCH, journalId: 'j1' });
        // Null when the write was committed and its answer lost: then it is stored all the same.
        changed.push(sent ?? command);
      }
    };
    const writers = Promise.all([0, 1, 2, 3].map(writer));
    await until(() => changed.length > 50, 'some commands before');
    await own.restart();
    const atRestart = changed.length;
    await until(() => changed.length > atRestart + 50, 'some commands after', 30_000);
    end.abort();
    await writers;

    const after = await stored(
      one,
      changed.map(({ id }) => id),
    );
    expect(changed.filter(({ id }) => after.get(id)?.state !== 'SENT')).toEqual([]);
    const { rows } = await one.pool.query<{ commands: number; requests: number }>(
      'SELECT count(*)::integer AS commands, count(DISTINCT request_id)::integer AS requests FROM command.command',
    );
    expect(rows[0]).toEqual({ commands: changed.length, requests: changed.length });
    const history = await follow(one, 1_000, () => true);
    expect(history.length).toBe(2 * changed.length);
  });
});

/** As a caller does: UNAVAILABLE is repeated with the same request id until it is stored, by this call or an earlier one. */
async function insertRepeatedly(replica: LedgerReplica, executorId: string, requestId: string): Promise<Command> {
  for (;;) {
    try {
      const command = await replica.insert({ id: randomUUID(), executorId, requestId });
      if (command !== null) return command;
      const existing = await commandReader(replica.pool).getByRequestId('main', requestId);
      if (existing !== undefined) return existing;
    } catch (thrown) {
      const passing = thrown instanceof StatusError ? thrown.code === 'Unavailable' : true;
      if (!passing) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
