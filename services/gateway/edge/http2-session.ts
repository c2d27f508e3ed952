import type { ServerHttp2Session } from 'node:http2';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';

export interface SessionLimits {
  /** Silence of a connection without calls, after which it is closed. */
  readonly idleMs: number;
  /** How often a connection with open calls is asked whether its peer is still there. */
  readonly pingMs: number;
  readonly pingAnswerMs: number;
}

/** How long a connection that is closed for its silence may take to close by itself. */
const LEAVE_MS_MAX = 1_000;

/**
 * Keeps watch over one HTTP/2 connection: closes it after a silence without calls, and cuts it when a peer with open calls does
 * not answer a ping, because a watch that nobody reads would otherwise hold its slot for ever.
 */
export function superviseSession(session: ServerHttp2Session, limits: SessionLimits, logger: Logger): void {
  let streams = 0;
  const leave = (): void => {
    session.close();
    // Headers that were begun and never finished are no call, and yet keep a connection from closing.
    setTimeout(() => {
      if (streams === 0) session.destroy();
    }, LEAVE_MS_MAX).unref();
  };
  let idle = setTimeout(leave, limits.idleMs);
  const pinger = setInterval(() => {
    if (streams > 0) ping(session, limits.pingAnswerMs, logger);
  }, limits.pingMs);
  pinger.unref();
  idle.unref();
  session.on('stream', (stream) => {
    streams++;
    clearTimeout(idle);
    stream.once('close', () => {
      streams--;
      if (streams > 0 || session.destroyed) return;
      idle = setTimeout(leave, limits.idleMs);
      idle.unref();
    });
  });
  session.on('error', (thrown) => logger.debug({ cause: messageOf(thrown) }, 'session failed'));
  session.once('close', () => {
    clearTimeout(idle);
    clearInterval(pinger);
  });
}

function ping(session: ServerHttp2Session, answerMs: number, logger: Logger): void {
  if (session.destroyed || session.closed) return;
  const timer = setTimeout(() => {
    logger.info({ answerMs }, 'peer does not answer, connection cut');
    session.destroy();
  }, answerMs);
  timer.unref();
  const sent = session.ping((thrown) => {
    clearTimeout(timer);
    if (thrown !== null) logger.debug({ cause: messageOf(thrown) }, 'ping failed');
  });
  // Too many pings unanswered: the timers of the earlier ones decide.
  if (!sent) clearTimeout(timer);
}
