import { type DescMethod, fromBinary, type Message } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, test } from 'vitest';
import { commandFakes, executorFakes } from '../../../test/harness/command-fakes.ts';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import { CommandService } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { AsyncQueue } from '../../platform/async-queue.ts';
import { commandHandlers, executorHandlers } from './index.ts';

type Handler = (request: Message | AsyncQueue<Message>, context: unknown) => unknown;

/** A request that is empty but for field 99, as a caller of a newer release may send it. */
function strangeRequest({ input, methodKind }: DescMethod): Message | AsyncQueue<Message> {
  const request = fromBinary(input, new BinaryWriter().tag(99, WireType.Varint).int32(1).finish());
  if (methodKind !== 'bidi_streaming') return request;
  const requests = new AsyncQueue<Message>({ itemsMax: 1 });
  requests.push(request);
  return requests;
}

function handlerOf(handlers: object, method: DescMethod): Handler {
  const handler: unknown = Reflect.get(handlers, method.localName);
  if (typeof handler !== 'function') throw new Error(`${method.name} has no handler`);
  return (request, context) => Reflect.apply(handler, handlers, [request, context]) as unknown;
}

function isStream(answer: unknown): answer is AsyncIterable<unknown> {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer;
}

/** Calls a handler and, where it streams, takes its first message. */
async function call(handler: Handler, method: DescMethod, caller: 'nobody' | object): Promise<unknown> {
  const answer = await handler(strangeRequest(method), handlerCall(caller).context);
  return isStream(answer) ? answer[Symbol.asyncIterator]().next() : answer;
}

describe.each([
  ['CommandService', CommandService, commandHandlers(commandFakes())],
  ['ExecutorService', ExecutorService, executorHandlers(executorFakes())],
])('%s', (_, service, handlers) => {
  test.each(service.methods.map((method) => [method.name, method] as const))(
    '%s refuses a field that it does not know, and a call without a caller',
    async (_name, method) => {
      const handler = handlerOf(handlers, method);
      await expect(call(handler, method, {})).rejects.toMatchObject({
        code: 'InvalidArgument',
        reason: 'INVALID_FIELD',
        violations: expect.arrayContaining([
          { field: '#99', description: `field number 99 is not known in ${method.input.typeName}` },
        ]),
      });
      await expect(call(handler, method, 'nobody')).rejects.toMatchObject({ code: 'Unauthenticated' });
    },
  );
});
