import type { ServiceImpl } from '@connectrpc/connect';
import type { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { checkLink } from './check-link.ts';
import { connect } from './connect.ts';
import type { LinkHandlerDependencies } from './link-dependencies.ts';
import { pollCommands } from './poll-commands.ts';
import { reportEvents } from './report-events.ts';

/** The executor port: the stream, and its unary fallback. */
export function linkHandlers(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService> {
  return {
    connect: connect(deps),
    pollCommands: pollCommands(deps),
    reportEvents: reportEvents(deps),
    checkLink: checkLink(deps),
  };
}
