import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { commandRetention } from '../../services/command/delivery/retention.ts';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { FOUNDER, startStack } from '../harness/stack.ts';

test('what is older than the retention goes, what is open or unsettled stays, and a watcher behind it is told', async () => {
  await using stack = await startStack({ gateway: false });
  const commands = stack.replicaCommandClient(0, FOUNDER);
  await stack.replicaExecutorClient(0, FOUNDER).createExecutor({ name: 'away' });
  const issued = await commands.issueCommands({
    requests: Array.from({ length: 5 }, () => ({ executor: 'away', kind: { case: 'ping' as const, value: {} } })),
  });
  const ids = issued.outcomes.map(({ outcome }) =>
    outcome.case === 'issued' ? (outcome.value.command?.id ?? '') : '',
  );
  const [open = '', unsettled = '', settled = '', ...ended] = ids;
  for (const id of ended) await commands.cancelCommand({ id });
  let cursor = '';
  for await (const event of commands.watchCommands({ fromStart: true })) {
    cursor = event.cursor;
    if (event.commandId !== '') break;
  }

  const pool = createPool({
    databaseUrl: stack.databaseUrl,
    applicationName: 'retention test',
    connectionsMax: 1,
    logger: createLogger('test', 'silent'),
  });
  // As they would be after a lost journal.
  await pool.query(
    `UPDATE command.command SET state = 'OUTCOME_UNKNOWN', unsettled = true, due_time = 'infinity', finish_time = now()
     WHERE id = ANY($1)`,
    [[unsettled, settled]],
  );
  await commands.settleCommand({ id: settled, outcome: SettledOutcome.DID_NOT_HAPPEN, note: 'nothing at the venue' });
  const keep = (keepDays: number): Promise<void> =>
    commandRetention(pool, createLogger('test', 'silent'), keepDays).removeOld();

  await keep(1);
  expect((await commands.listCommands({})).commands).toHaveLength(5);

  // As a day later, with nothing to be kept.
  await keep(-1);
  await pool.end();
  expect((await commands.listCommands({})).commands.map(({ id }) => id)).toEqual([unsettled, open]);
  const behind = (async () => {
    for await (const event of commands.watchCommands({ cursor })) return event.cursor;
    return '';
  })();
  const refused = await behind.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(refused).toBeInstanceOf(ConnectError);
  expect(ConnectError.from(refused).code).toBe(Code.OutOfRange);
  expect(reasonOf(ConnectError.from(refused))).toBe('CURSOR_TOO_OLD');
  // From its beginning, what is kept can be read: nothing is left but what comes.
  for await (const event of commands.watchCommands({ fromStart: true })) {
    expect(event.commandId).toBe('');
    break;
  }
});
