import { type DescMessage, type JsonObject, type Message, toJson } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import {
  CommandService,
  WatchCommandsResponseSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  ExecutorService,
  WatchExecutorsResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { SessionService, WatchSessionResponseSchema } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { inTime } from '../consumers/agent-bench.ts';
import { WATCHED } from '../consumers/console-command-calls.ts';
import { CONSOLE_SESSION } from '../consumers/console-trading-calls.ts';
import { messageIn, type Schema } from '../schema/image.ts';
import { objectOf } from '../schema/json.ts';
import { reshape } from '../schema/reshape.ts';
import type { DoorProxy } from './door-proxy.ts';
import type { LivePlatform } from './live-platform.ts';

/** Long enough for a loaded machine: what is right must never be taken for a break. */
const SAID_MS_MAX = 8_000;

/**
 * Listens to the real stream of the gateway of which a message of the console's pact speaks, until it says such a message.
 * @returns it as a build of these descriptors says it
 */
export async function hearGateway(
  description: string,
  { gatewayUrl }: LivePlatform,
  door: DoorProxy,
  schema: Schema,
): Promise<JsonObject> {
  const transport = createConnectTransport({ baseUrl: gatewayUrl, httpVersion: '1.1' });
  const ending = new AbortController();
  const call = { signal: ending.signal, headers: { authorization: `Bearer ${door.bearer}` } };
  try {
    switch (description) {
      case WATCHED.command: {
        const said = createClient(CommandService, transport).watchCommands({ fromStart: true }, call);
        const ended = await first(said, ({ command }) => command?.finishTime !== undefined);
        return sayAs(ended, WatchCommandsResponseSchema, schema);
      }
      case WATCHED.executor: {
        const said = createClient(ExecutorService, transport).watchExecutors({}, call);
        const found = await first(said, ({ executor }) => executor !== undefined);
        return sayAs(found, WatchExecutorsResponseSchema, schema);
      }
      case WATCHED.session: {
        const id = door.stands.get(CONSOLE_SESSION) ?? '';
        const said = createClient(SessionService, transport).watchSession({ id }, call);
        const found = await first(said, ({ change }) => change.case === 'session');
        return sayAs(found, WatchSessionResponseSchema, schema);
      }
      default:
        throw new Error(
          `nobody knows which stream says "${description}": add it to contracts/providers/gateway-stream.ts`,
        );
    }
  } finally {
    ending.abort(new Error('heard'));
  }
}

async function first<T>(said: AsyncIterable<T>, isMeant: (message: T) => boolean): Promise<T> {
  const messages = said[Symbol.asyncIterator]();
  for (;;) {
    const next = await inTime(messages.next(), 'the gateway says nothing of what is watched', SAID_MS_MAX);
    if (next.done === true) throw new Error('the gateway ends a stream that is watched');
    if (isMeant(next.value)) return next.value;
  }
}

function sayAs(message: Message, desc: DescMessage, schema: Schema): JsonObject {
  const there = messageIn(schema, desc.typeName);
  return objectOf(toJson(there, reshape(message, desc, there)));
}
