import type { Clock } from '../../platform/clock.ts';
import type { ExecutorDirectory } from '../domain/executor-book.ts';
import type { LinkAcceptor } from '../link/accept.ts';
import type { RefusalLog } from '../link/refusal-log.ts';
import type { SessionRegistry } from '../link/registry.ts';
import type { ExecutorSession } from '../link/session.ts';

/** What the handlers of the executor port work with. */
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
