import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchSessionRequest,
  WatchSessionRequestSchema,
  type WatchSessionResponse,
  WatchSessionResponseSchema,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { keepingUp } from '../../platform/grpc/keeping-up.ts';
import { createWaker } from '../../platform/waker.ts';
import type { ChangeEntry, SessionView } from '../domain/repository.ts';
import { checksOf } from '../wire/field-checks.ts';
import { decodePosition, encodePosition, invalidPosition, type PositionScope } from '../wire/position-token.ts';
import { positionToProto, sessionToProto, signalToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { readSession } from './reading.ts';

const ENTRIES_PER_PAGE = 200;
/** Without a ring, changes are looked for this often. */
const POLL_MS = 1_000;
/** A watcher that sees nothing learns how far it has come after this and one more look: within 5 s. */
const CHECKPOINT_MS = 4_000;
const NUMBER_FORM = /^\d{1,15}$/;

export function watchSession(deps: SessionHandlerDependencies) {
  return async function* (request: WatchSessionRequest, context: HandlerContext): AsyncGenerator<WatchSessionResponse> {
    const { accountId } = callerOf(context);
    const checks = checksOf(WatchSessionRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    const view = await readSession(deps.reader, accountId, request.id);
    const scope: PositionScope = { field: 'cursor', bound: ['WatchSession', accountId, view.session.id] };
    const start = request.cursor === '' ? undefined : Number(decodePosition(scope, request.cursor, NUMBER_FORM));
    if (start !== undefined && start > view.session.version) {
      throw invalidPosition(scope, 'is ahead of everything that has happened');
    }
    yield* keepingUp(events(deps, view, scope, start, context.signal), deps.clock, 'resume from the last cursor');
  };
}

async function* events(
  { reader, bell, clock }: SessionHandlerDependencies,
  view: SessionView,
  scope: PositionScope,
  start: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<WatchSessionResponse> {
  const { id } = view.session;
  const at = (number: number, change?: MessageInitShape<typeof WatchSessionResponseSchema>['change']) =>
    create(WatchSessionResponseSchema, {
      cursor: encodePosition(scope, String(number)),
      ...(change === undefined ? {} : { change }),
    });
  // Subscribed before the first look: what is written in between rings.
  const waker = createWaker((ring) => bell.on(id, ring), signal, clock);
  try {
    // Without a cursor all changes are told from the first on, each thing as it is now: the present state, then what happens.
    let number = start ?? 0;
    yield at(number);
    let toldMs = clock.steadyMs();
    while (!signal.aborted) {
      const page = await reader.changes(id, number, ENTRIES_PER_PAGE);
      if (page.removedNumber > number) {
        // Retention may have passed a reader that rested for long; a gap is never passed over in silence.
        if (number > 0) throw tooOld(page.removedNumber);
        number = page.removedNumber;
        yield at(number, { case: 'session', value: sessionToProto(view) });
        continue;
      }
      for (const entry of page.entries) {
        yield at(entry.number, changeOf(entry));
        toldMs = clock.steadyMs();
      }
      number = page.throughNumber;
      if (clock.steadyMs() - toldMs >= CHECKPOINT_MS) {
        yield at(number);
        toldMs = clock.steadyMs();
      }
      if (!page.more) await waker.wait(POLL_MS);
    }
  } finally {
    waker.stop();
  }
}

function tooOld(removed: number): StatusError {
  return new StatusError(
    'OutOfRange',
    'CURSOR_TOO_OLD',
    'the changes up to this cursor are no longer kept; get the session, then watch without a cursor',
    { metadata: { oldest: String(removed + 1) } },
  );
}

function changeOf(entry: ChangeEntry): MessageInitShape<typeof WatchSessionResponseSchema>['change'] {
  switch (entry.kind) {
    case 'SESSION':
      return { case: 'session', value: sessionToProto(entry.view) };
    case 'SIGNAL':
      return { case: 'signal', value: signalToProto(entry.signal) };
    case 'POSITION':
      return { case: 'position', value: positionToProto(entry.position) };
  }
}
