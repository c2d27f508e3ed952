import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ExplainCommandRequest,
  ExplainCommandRequestSchema,
  type ExplainCommandResponse,
  ExplainCommandResponseSchema,
  Hop,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { Command } from '../domain/command.ts';
import type { BlockingCommand } from '../domain/command-reader.ts';
import { explain } from '../domain/explain.ts';
import { commandToProto, transitionToProto } from '../wire/command-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import { readProgress } from '../wire/stored-message.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { readCommand } from './presenting.ts';

const BLOCKING_MAX = 10;

export function explainCommand(deps: CommandHandlerDependencies) {
  return async (request: ExplainCommandRequest, context: HandlerContext): Promise<ExplainCommandResponse> => {
    const { reader, book, clock } = deps;
    const { accountId } = callerOf(context);
    const checks = checksOf(ExplainCommandRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    const command = await readCommand(reader, accountId, request.id);
    const [[view], timeline, blocking] = await Promise.all([
      book.views(accountId, [command.executorId]),
      reader.timelineOf(accountId, command.id),
      blockingOf(deps, command),
    ]);
    if (view === undefined) throw notFound('executor', command.executorId);
    const { hop, sentence } = explain({
      command,
      executor: view.executor,
      refusal: view.refusal,
      inFlight: view.inFlight,
      blocking,
      progress: progressText(command),
      nowMs: clock.nowMs(),
    });
    return create(ExplainCommandResponseSchema, {
      command: commandToProto(command, view.executor.name),
      hop: Hop[hop],
      sentence,
      timeline: timeline.map(transitionToProto),
      blockingCommandIds: hop === 'ORDERING_KEY' ? blocking.map(({ id }) => id) : [],
    });
  };
}

/** Only what has not been written yet can wait behind another command. */
function blockingOf({ reader }: CommandHandlerDependencies, command: Command): Promise<readonly BlockingCommand[]> {
  return command.state === 'PENDING' ? reader.blocking(command, BLOCKING_MAX) : Promise.resolve([]);
}

function progressText(command: Command): string {
  const progress = readProgress(command.progress);
  if (progress === undefined) return '';
  const percent = progress.percent === 0 ? '' : `${progress.percent} %`;
  return [percent, progress.message].filter((part) => part !== '').join(', ');
}
