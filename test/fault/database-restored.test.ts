import { Code, ConnectError } from '@connectrpc/connect';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { theServers } from '../harness/current-run.ts';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { ended, getCommand, online, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition, ping } from './wishes.ts';

test('a backup is restored: what the agent has done since is not done again, and its word still counts', async () => {
  await using stack = await startStack();
  await using recorder = await Recorder.start(stack, { watches: 0 });
  const credentials = await stack.createExecutor('survivor');
  const agent = await startRecordingAgent(stack, { credentials, control: { hold: 'after' } });
  const client = await stack.commandClient();
  await online(stack, 'survivor');
  const running = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));
  await agent.seen('effect', running.id);
  await reached(client, running.id, [CommandState.RUNNING]);
  const waiting = await recorder.issue(agent, closePosition('s', 'x', 'BTC'));

  await using backup = await Backup.take(stack);
  agent.control({});
  const later = await recorder.issue(agent, ping('after the backup'));
  for (const { id } of [running, waiting, later]) {
    expect(CommandState[(await ended(client, id)).state]).toBe('SUCCEEDED');
  }
  const effects = agent.acts('effect').map(({ commandId }) => commandId);

  await backup.restore();
  for (const { id } of [running, waiting]) {
    expect(CommandState[(await ended(client, id)).state]).toBe('SUCCEEDED');
  }
  // What is not in the backup has never been, as far as the platform can know.
  const unknown = await getCommand(client, later.id).catch((thrown: unknown) => ConnectError.from(thrown).code);
  expect(unknown).toBe(Code.NotFound);
  const fresh = await recorder.issue(agent, ping('after the restore'));
  expect(CommandState[(await ended(client, fresh.id)).state]).toBe('SUCCEEDED');
  expect(agent.acts('effect').map(({ commandId }) => commandId)).toEqual([...effects, fresh.id]);
});

/** A copy of a stack's database, taken and put back while none of its services runs. */
class Backup implements AsyncDisposable {
  readonly #stack: TestStack;
  readonly #admin: Client;
  readonly #database: string;

  private constructor(stack: TestStack, admin: Client) {
    this.#stack = stack;
    this.#admin = admin;
    this.#database = new URL(stack.databaseUrl).pathname.slice(1);
  }

  static async take(stack: TestStack): Promise<Backup> {
    const admin = new Client({ connectionString: (await theServers()).adminUrl });
    await admin.connect();
    const backup = new Backup(stack, admin);
    await backup.#atRest(() => backup.#copy(backup.#database, backup.#name));
    return backup;
  }

  async restore(): Promise<void> {
    await this.#atRest(async () => {
      await this.#admin.query(`DROP DATABASE ${this.#database} WITH (FORCE)`);
      await this.#copy(this.#name, this.#database);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.query(`DROP DATABASE IF EXISTS ${this.#name} WITH (FORCE)`);
    await this.#admin.end();
  }

  get #name(): string {
    return `${this.#database}_backup`;
  }

  async #copy(from: string, to: string): Promise<void> {
    await this.#admin.query(`CREATE DATABASE ${to} TEMPLATE ${from} STRATEGY FILE_COPY`);
  }

  async #atRest(work: () => Promise<unknown>): Promise<void> {
    const { replicas, gateway } = this.#stack;
    const services = [...replicas, ...(gateway === undefined ? [] : [gateway])];
    await Promise.all(services.map((service) => service.stop()));
    await work();
    for (const service of services) await service.start();
  }
}
