import { ConnectError, type ServiceImpl } from '@connectrpc/connect';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  type ExecutorLinkService,
  type Hello,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { messageOf, StatusError } from '../../platform/errors.ts';
import { refuseUnknownFields, unknownFields } from '../../platform/grpc/parse.ts';
import { reasonOf } from '../../platform/grpc/status.ts';
import { linkCallerOf } from '../link/link-caller.ts';
import type { ExecutorSession } from '../link/session.ts';
import type { SessionEnd } from '../link/session-end.ts';
import type { LinkHandlerDependencies } from './link.ts';

/** A peer that connects and says nothing holds nothing for longer than this. */
const FIRST_MESSAGE_MS_MAX = 5_000;

export function connect(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService>['connect'] {
  return async function* (requests, context) {
    const caller = linkCallerOf(context);
    const frames = requests[Symbol.asyncIterator]();
    const hello = await firstHello(frames);
    const session = await deps.acceptor.accept(caller, hello, 'STREAM', deps.welcome);
    read(frames, session);
    try {
      yield* session.output as AsyncIterable<ConnectResponse>;
      if (session.endError !== undefined) throw session.endError;
    } finally {
      session.end({ type: 'left', reason: 'stream closed by the agent or the network' });
    }
  };
}

/** Why a stream ended that the session itself did not end. */
function endOf(thrown: unknown): SessionEnd {
  if (thrown instanceof ConnectError && reasonOf(thrown) === 'SLOW_CONSUMER') return { type: 'slow_consumer' };
  return { type: 'left', reason: `stream broken: ${messageOf(thrown)}` };
}

async function firstHello(frames: AsyncIterator<ConnectRequest>): Promise<Hello> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(violation(`no frame came within ${FIRST_MESSAGE_MS_MAX} ms; the first must be a hello`));
    }, FIRST_MESSAGE_MS_MAX);
  });
  try {
    const first = await Promise.race([frames.next(), late]);
    if (first.done === true) throw violation('the stream ended before a hello came');
    const { frame } = first.value;
    if (frame.case !== 'hello')
      throw violation(`the first frame must be a hello, ${frame.case ?? 'an unknown one'} came`);
    refuseUnknownFields(ConnectRequestSchema, first.value);
    return frame.value;
  } finally {
    clearTimeout(timer);
  }
}

function violation(message: string): StatusError {
  return new StatusError('FailedPrecondition', 'PROTOCOL_VIOLATION', message, { metadata: { expected: 'hello' } });
}

/** Reads until either side ends; a broken stream is an ordinary end. */
function read(frames: AsyncIterator<ConnectRequest>, session: ExecutorSession): void {
  const readAll = async (): Promise<void> => {
    while (session.isOpen) {
      const next = await frames.next();
      if (next.done === true) break;
      take(next.value, session);
    }
    session.end({ type: 'left', reason: 'agent closed the stream' });
  };
  readAll().catch((thrown: unknown) => session.end(endOf(thrown)));
}

/** What stands beside known fields was meant to have an effect, which it would not have: the frame is refused, by its field. */
function take(frame: ConnectRequest, session: ExecutorSession): void {
  const [unknown] = frame.frame.case === undefined ? [] : unknownFields(ConnectRequestSchema, frame);
  if (unknown === undefined) session.take(frame);
  else session.end({ type: 'protocol', expected: 'known fields', detail: `${unknown.field}: ${unknown.description}` });
}
