import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import type { Executor } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ExecutorState } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { CommandClient } from '../harness/clients.ts';
import type { TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** The command as it is now. @throws when there is none */
export async function getCommand(client: CommandClient, id: string): Promise<Command> {
  const { command } = await client.getCommand({ id });
  if (command === undefined) throw new Error(`no command ${id}`);
  return command;
}

/** Waits for a command to be in one of these states. */
export function reached(
  client: CommandClient,
  id: string,
  states: readonly CommandState[],
  timeoutMs?: number,
): Promise<Command> {
  const names = states.map((state) => CommandState[state]).join(' or ');
  return until(
    async () => {
      const command = await getCommand(client, id);
      return states.includes(command.state) && command;
    },
    `command ${id} is ${names}`,
    timeoutMs,
  );
}

/** Waits for a command's end. */
export function ended(client: CommandClient, id: string, timeoutMs?: number): Promise<Command> {
  return until(
    async () => {
      const command = await getCommand(client, id);
      return command.state >= CommandState.SUCCEEDED && command;
    },
    `command ${id} has ended`,
    timeoutMs,
  );
}

type ExecutorClient = ReturnType<TestStack['replicaExecutorClient']>;

/** A client is a connection of its own, and waiting for a condition asks often. */
const executorClients = new WeakMap<TestStack, Map<number, ExecutorClient>>();

function executorClient(stack: TestStack, replica: number): ExecutorClient {
  const clients = executorClients.get(stack) ?? new Map<number, ExecutorClient>();
  executorClients.set(stack, clients);
  const client = clients.get(replica) ?? stack.replicaExecutorClient(replica);
  clients.set(replica, client);
  return client;
}

/** The executor as replica `replica` knows it. */
export async function getExecutor(stack: TestStack, executor: string, replica = 0): Promise<Executor> {
  const { executor: found } = await executorClient(stack, replica).getExecutor({ executor });
  if (found === undefined) throw new Error(`no executor ${executor}`);
  return found;
}

/** Waits for an executor to be online, over a stream newer than `afterEpoch`. */
export function online(
  stack: TestStack,
  executor: string,
  options: { readonly afterEpoch?: bigint; readonly replica?: number; readonly timeoutMs?: number } = {},
): Promise<Executor> {
  return until(
    async () => {
      const found = await getExecutor(stack, executor, options.replica);
      return found.state === ExecutorState.ONLINE && found.streamEpoch > (options.afterEpoch ?? 0n) && found;
    },
    `executor ${executor} is online`,
    options.timeoutMs ?? 30_000,
  );
}

/** Waits for an executor to be known as gone. */
export function offline(stack: TestStack, executor: string, timeoutMs = 30_000): Promise<Executor> {
  return until(
    async () => {
      const found = await getExecutor(stack, executor);
      return found.state === ExecutorState.OFFLINE && found;
    },
    `executor ${executor} is offline`,
    timeoutMs,
  );
}

/** Milliseconds of a timestamp that must be there. */
export function ms(time: Parameters<typeof timestampMs>[0] | undefined): number {
  if (time === undefined) throw new Error('the time is absent');
  return timestampMs(time);
}
