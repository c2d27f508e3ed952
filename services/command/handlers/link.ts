import type { ServiceImpl } from '@connectrpc/connect';
import type { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Clock } from '../../platform/clock.ts';
import type { ExecutorDirectory } from '../domain/executor-book.ts';
import type { LinkAcceptor } from '../link/accept.ts';
import type { RefusalLog } from '../link/refusal-log.ts';
import type { SessionRegistry } from '../link/registry.ts';
import type { ExecutorSession } from '../link/session.ts';
import { checkLink } from './check-link.ts';
import { connect } from './connect.ts';
import { pollCommands } from './poll-commands.ts';
import { reportEvents } from './report-events.ts';

export interface LinkHandlerDependencies {
  readonly acceptor: LinkAcceptor;
  readonly registry: SessionRegistry;
  readonly welcome: (session: ExecutorSession) => void;
  /** Remembers agents that were not let in. */
  readonly refusals: Pick<RefusalLog, 'failed'>;
  readonly clock: Clock;
  readonly directory: ExecutorDirectory;
  /** Of the platform. */
  readonly version: string;
}

/** The executor port: the stream, and its unary fallback. */
export function linkHandlers(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService> {
  return {
    connect: connect(deps),
    pollCommands: pollCommands(deps),
    reportEvents: reportEvents(deps),
    checkLink: checkLink(deps),
  };
}
