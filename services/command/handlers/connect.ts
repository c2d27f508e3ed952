import { ConnectError, type ServiceImpl } from '@connectrpc/connect';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ExecutorLinkService,
  type Hello,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { AsyncQueue } from '../../platform/async-queue.ts';
import { messageOf, StatusError } from '../../platform/errors.ts';
import { refuseUnknownFields, unknownFields } from '../../platform/grpc/parse.ts';
import { requestQueue } from '../../platform/grpc/request-reader.ts';
import { EverythingOf } from '../../platform/grpc/response-writer.ts';
import { reasonOf } from '../../platform/grpc/status.ts';
import type { LinkCaller } from '../link/accept.ts';
import { linkCallerOf } from '../link/link-caller.ts';
import type { ExecutorSession } from '../link/session.ts';
import type { SessionEnd } from '../link/session-end.ts';
import type { LinkHandlerDependencies } from './link-dependencies.ts';

/** A peer that connects and says nothing holds nothing for longer than this. */
const FIRST_MESSAGE_MS_MAX = 5_000;
const FRAMES_AT_ONCE_MAX = 16;

export function connect(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService>['connect'] {
  return async function* (requests, context) {
    const caller = linkCallerOf(context);
    const frames = requestQueue(requests);
    const session = await begin(deps, caller, frames);
    read(frames, session);
    try {
      yield new EverythingOf(session.output);
      if (session.endError !== undefined) throw session.endError;
    } finally {
      // Unless the session ended by itself, the call is over, and its context knows why.
      session.end(endOf(context.signal.reason));
    }
  };
}

/** Why a stream ended that the session itself did not end. */
function endOf(thrown: unknown): SessionEnd {
  if (thrown instanceof ConnectError && reasonOf(thrown) === 'SLOW_CONSUMER') return { type: 'slow_consumer' };
  return { type: 'left', reason: `stream broken: ${messageOf(thrown)}` };
}

/** Hears the Hello and accepts; a no to the agent is remembered. */
async function begin(
  deps: LinkHandlerDependencies,
  caller: LinkCaller,
  frames: AsyncIterator<ConnectRequest>,
): Promise<ExecutorSession> {
  let hello: Hello | undefined;
  let silence = 'the stream ended before a hello came';
  try {
    const first = await firstHello(frames);
    if (first === 'late') silence = `no frame came within ${FIRST_MESSAGE_MS_MAX} ms; the first must be a hello`;
    else if (first !== 'ended') {
      hello = first;
      return await deps.acceptor.accept(caller, hello, 'STREAM', deps.welcome);
    }
  } catch (thrown) {
    deps.refusals.failed(caller, 'STREAM', hello, thrown);
    throw thrown;
  }
  // Not remembered: so calls who only looks whether streams get through, and an agent behind something that holds back its words.
  throw violation(silence);
}

/** `ended` when the peer ends the stream without having said anything, `late` when it says nothing at all. */
async function firstHello(frames: AsyncIterator<ConnectRequest>): Promise<Hello | 'ended' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), FIRST_MESSAGE_MS_MAX);
  });
  try {
    const first = await Promise.race([frames.next(), late]);
    if (first === 'late') return first;
    if (first.done === true) return 'ended';
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
function read(frames: AsyncQueue<ConnectRequest>, session: ExecutorSession): void {
  const readAll = async (): Promise<void> => {
    while (session.isOpen && (await frames.readable())) takeSome(frames, session);
    session.end({ type: 'left', reason: 'agent closed the stream' });
  };
  readAll().catch((thrown: unknown) => session.end(endOf(thrown)));
}

/** Not within the loop that waits, which would hold the last frame until the next comes. */
function takeSome(frames: AsyncQueue<ConnectRequest>, session: ExecutorSession): void {
  for (const frame of frames.drain(FRAMES_AT_ONCE_MAX)) if (session.isOpen) take(frame, session);
}

/** What stands beside known fields was meant to have an effect, which it would not have: the frame is refused, by its field. */
function take(frame: ConnectRequest, session: ExecutorSession): void {
  const [unknown] = frame.frame.case === undefined ? [] : unknownFields(ConnectRequestSchema, frame);
  if (unknown === undefined) session.take(frame);
  else session.end({ type: 'protocol', expected: 'known fields', detail: `${unknown.field}: ${unknown.description}` });
}
