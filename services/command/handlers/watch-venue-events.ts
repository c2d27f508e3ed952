import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchVenueEventsRequest,
  WatchVenueEventsRequestSchema,
  type WatchVenueEventsResponse,
  WatchVenueEventsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { VenueEventSchema } from '../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { StoredVenueEvent } from '../domain/venue-book.ts';
import { decodeNumber, encodePosition, invalidPosition, type PositionScope } from '../wire/position-token.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';
import { keepingUp } from '../../platform/grpc/keeping-up.ts';
import { createWaker } from '../../platform/waker.ts';

const EVENTS_PER_PAGE = 200;
/** Without a ring, the events are looked at this often. */
const POLL_MS = 1_000;
/** A watcher that sees nothing learns how far it has come after this and one more look: within 5 s. */
const CHECKPOINT_MS = 4_000;

interface Watch {
  readonly accountId: string;
  readonly scope: PositionScope;
  readonly startNumber: number;
  readonly executorId: string | undefined;
}

export function watchVenueEvents(deps: ExecutorHandlerDependencies) {
  return async function* (
    request: WatchVenueEventsRequest,
    context: HandlerContext,
  ): AsyncGenerator<WatchVenueEventsResponse> {
    const watch = await open(deps, request, callerOf(context).accountId);
    yield* keepingUp(events(deps, watch, context.signal), deps.clock, 'resume from the last cursor');
  };
}

async function open(
  { venue, directory }: ExecutorHandlerDependencies,
  request: WatchVenueEventsRequest,
  accountId: string,
): Promise<Watch> {
  const checks = checksOf(WatchVenueEventsRequestSchema, request);
  checks.text('executor', request.executor);
  checks.throwIfAny();
  const executorId = request.executor === '' ? undefined : (await directory.resolve(accountId, request.executor)).id;
  const scope: PositionScope = { field: 'cursor', bound: ['WatchVenueEvents', accountId, executorId ?? ''] };
  const { newest, removed } = await venue.range(accountId);
  const fresh = request.fromStart ? removed : newest;
  const startNumber = request.cursor === '' ? fresh : decodeNumber(scope, request.cursor);
  if (startNumber > newest) throw invalidPosition(scope, 'is ahead of everything that has happened');
  if (startNumber < removed) throw tooOld(removed);
  return { accountId, scope, startNumber, executorId };
}

async function* events(
  deps: ExecutorHandlerDependencies,
  watch: Watch,
  signal: AbortSignal,
): AsyncGenerator<WatchVenueEventsResponse> {
  const { venue, venueBell, clock } = deps;
  const { accountId, executorId } = watch;
  // Subscribed before the first look: what is stored in between rings.
  const waker = createWaker((ring) => venueBell.onVenueEvents(accountId, ring), signal, clock);
  try {
    let number = watch.startNumber;
    yield checkpoint(watch, number);
    let toldMs = clock.steadyMs();
    while (!signal.aborted) {
      const page = await venue.after(accountId, number, { eventsMax: EVENTS_PER_PAGE, executorId });
      // Retention may have passed a reader that rested for long; a gap is never passed over in silence.
      if (page.removedNumber > number) throw tooOld(page.removedNumber);
      const names = await deps.directory.names(accountId, new Set(page.events.map((event) => event.executorId)));
      for (const event of page.events) {
        yield present(watch, event, names.get(event.executorId) ?? '');
        toldMs = clock.steadyMs();
      }
      number = page.throughNumber;
      if (clock.steadyMs() - toldMs >= CHECKPOINT_MS) {
        yield checkpoint(watch, number);
        toldMs = clock.steadyMs();
      }
      if (!page.more) await waker.wait(POLL_MS);
    }
  } finally {
    waker.stop();
  }
}

function present({ scope }: Watch, stored: StoredVenueEvent, executorName: string): WatchVenueEventsResponse {
  return create(WatchVenueEventsResponseSchema, {
    cursor: encodePosition(scope, String(stored.number)),
    executorId: stored.executorId,
    executorName,
    event: fromBinary(VenueEventSchema, stored.event),
    sequence: BigInt(stored.number),
    storeTime: timestampFromMs(stored.storeMs),
  });
}

function checkpoint({ scope }: Watch, number: number): WatchVenueEventsResponse {
  return create(WatchVenueEventsResponseSchema, { cursor: encodePosition(scope, String(number)) });
}

function tooOld(removed: number): StatusError {
  return new StatusError(
    'OutOfRange',
    'CURSOR_TOO_OLD',
    'the venue events up to this cursor are no longer kept; watch from the start, or without a cursor',
    { metadata: { oldest: String(removed + 1) } },
  );
}
