import { createContextValues, createHandlerContext, type HandlerContext } from '@connectrpc/connect';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Caller, callerKey } from '../../services/platform/grpc/caller.ts';

/** The context of a call that the gateway let through; `end` is the caller hanging up. */
export interface HandlerCall {
  readonly context: HandlerContext;
  readonly end: () => void;
}

/** For handlers that are called directly. Without a caller, as a call that came past the gateway. */
export function handlerCall(caller: Partial<Caller> | 'nobody' = {}): HandlerCall {
  const values = createContextValues();
  if (caller !== 'nobody') values.set(callerKey, { accountId: 'main', role: 'admin', subject: 'test', ...caller });
  const context = createHandlerContext({
    service: CommandService,
    method: CommandService.method.getCommand,
    protocolName: 'grpc',
    requestMethod: 'POST',
    url: 'http://test/',
    contextValues: values,
  });
  return { context, end: () => context.abort() };
}
