import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { runCli, runCliLines } from '../harness/cli.ts';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { ended } from './observe.ts';
import { Recorder } from './recorder.ts';
import { allNull, type Columns, insertCopy } from './spoilt-rows.ts';
import { closePosition, ping } from './wishes.ts';

/** What is wrong with each poisoned row, and what the quarantine must say about it. */
const POISON: readonly (readonly [string, Columns, RegExp])[] = [
  ['junk in parameters', { parameters: '\\xdeadbeefdeadbeef' }, /^parameters: /],
  ['empty parameters', { parameters: '\\x' }, /^parameters: /],
  ['parameters of another kind', { kind: 'stop_session' }, /^parameters: .*stop_session/],
  ['an unknown kind', { kind: 'teleport' }, /^kind: .*teleport/],
  ['an empty kind', { kind: '' }, /^kind: /],
  ['junk in preconditions', { preconditions: '\\xffffffff' }, /preconditions/],
];

/** Open states that a row may be in when the service finds it; none of its optional columns says how it came there. */
const OPEN_STATES = ['SENT', 'RECEIVED', 'RUNNING'] as const;

let stack: TestStack;
let agent: RecordingAgent;
let recorder: Recorder;
let database: Client;
const poisoned = new Map<string, RegExp>();
const issued: string[] = [];
const bare = new Map<string, string>();

// The rows are in the table before the service starts and before the agent connects; good commands stand around them.
beforeAll(async () => {
  stack = await startStack();
  const credentials = await stack.createExecutor('poisoned');
  agent = await startRecordingAgent(stack, { credentials, started: false });
  recorder = await Recorder.start(stack);
  recorder.follow(agent);
  database = new Client({ connectionString: stack.databaseUrl });
  await database.connect();
  const issue = async (): Promise<void> => {
    const orders = [ping(), closePosition('s1', 'x', 'BTC')];
    for (const wish of orders) issued.push((await recorder.issue(agent, wish)).id);
  };
  await issue();
  await issue();
  const [original] = issued;
  if (original === undefined) throw new Error('nothing was issued');
  await stack.stopReplica(0);
  const nothing = await allNull(database);
  bare.set('PENDING', await insertCopy(database, original, nothing));
  for (const state of OPEN_STATES) bare.set(state, await insertCopy(database, original, { ...nothing, state }));
  for (const [, columns, defect] of POISON) {
    const commandId = await insertCopy(database, original, columns);
    poisoned.set(commandId, defect);
    recorder.add({ type: 'poisoned', commandId });
  }
  bare.set('last', await insertCopy(database, original, nothing));
  await stack.replica(0).start();
  await issue();
  await agent.start();
});

afterAll(async () => {
  await database.end();
  await recorder[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

describe('rows that cannot be read', () => {
  test('stop no good command, before or behind them', async () => {
    const client = await stack.commandClient();
    const good = [...issued, bare.get('PENDING') ?? '', bare.get('last') ?? ''];
    const commands = await Promise.all(good.map((id) => ended(client, id)));
    expect(commands.map((command) => CommandState[command.state])).toEqual(good.map(() => 'SUCCEEDED'));
    const effects = agent.acts('effect').map((effect) => effect.commandId);
    expect(effects.toSorted()).toEqual(good.toSorted());
  });

  test('are NULL in every column that may be, in any state, and still end honestly', async () => {
    const client = await stack.commandClient();
    for (const state of OPEN_STATES) {
      const { error, ...command } = await ended(client, bare.get(state) ?? '');
      // Nothing says which journal had it: nobody can know.
      expect(CommandState[command.state], state).toBe('OUTCOME_UNKNOWN');
      expect(error?.message, state).not.toBe('');
    }
  });

  test('are listed by the CLI with what is wrong and in which column', async () => {
    const listed = z
      .object({ commandId: z.string(), executorId: z.string(), defect: z.string(), rowJson: z.string() })
      .array()
      .parse(await runCliLines(stack, ['command', 'list', '--quarantined', '--limit', '100']));
    expect(new Set(listed.map((row) => row.commandId))).toEqual(new Set(poisoned.keys()));
    for (const row of listed) {
      expect(row.defect).toMatch(poisoned.get(row.commandId) ?? /^$/);
      expect(row.executorId).toBe(agent.executorId);
      expect(JSON.parse(row.rowJson)).toMatchObject({ id: row.commandId });
    }
    const table = await runCli(stack, ['command', 'list', '--quarantined', '--executor', 'poisoned']);
    for (const commandId of poisoned.keys()) expect(table.stdout).toContain(commandId);
  });

  test('end FAILED, say why, and can be looked at like any other', async () => {
    const client = await stack.commandClient();
    for (const commandId of poisoned.keys()) {
      const explained = await client.explainCommand({ id: commandId });
      expect(explained.sentence).not.toBe('');
      expect(CommandState[explained.command?.state ?? 0]).toBe('FAILED');
    }
    const list = await client.listCommands({ pageSize: 1_000 });
    expect(new Set(list.commands.map((command) => command.id)).isSupersetOf(new Set(issued))).toBe(true);
  });

  test('leave every invariant standing', async () => {
    expect(await recorder.verdict()).toBe('');
  });
});
