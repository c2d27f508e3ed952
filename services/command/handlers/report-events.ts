import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  type ExecutorLinkService,
  ReportEventsRequestSchema,
  ReportEventsResponseSchema,
  type VenueEventBatch,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { linkCallerOf } from '../link/link-caller.ts';
import { IN_FLIGHT_MAX } from '../link/offer.ts';
import type { ExecutorSession } from '../link/session.ts';
import type { StoredNumbers } from '../link/venue-channel.ts';
import { checkVenueEvents } from '../wire/interest-checks.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { LinkHandlerDependencies } from './link-dependencies.ts';

/** A result that is not durable by then is not acknowledged; the agent reports it again. */
const ACKNOWLEDGE_MS_MAX = 5_000;

export function reportEvents(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService>['reportEvents'] {
  return async function (request, context) {
    const caller = linkCallerOf(context);
    const checks = checksOf(ReportEventsRequestSchema, request);
    checks.integer('in_flight_limit.in_flight_max', request.inFlightLimit?.inFlightMax ?? 0, 0, IN_FLIGHT_MAX);
    if (request.venueEvents !== undefined) checkVenueEvents(checks.within('venue_events'), request.venueEvents);
    checks.throwIfAny();
    const session = deps.registry.get(caller.executorId);
    if (session === undefined || !session.isOpen || BigInt(session.identity.epoch) !== request.streamEpoch) {
      throw new StatusError(
        'Aborted',
        'STREAM_SUPERSEDED',
        `epoch ${request.streamEpoch} is not the newest of "${caller.executorName}" on this replica; poll again, then report`,
        { metadata: { epoch: String(session?.identity.epoch ?? 0) } },
      );
    }
    session.heard();
    if (request.inFlightLimit !== undefined) session.takeInFlightMax(request.inFlightLimit.inFlightMax);
    const commandIds =
      request.events === undefined
        ? []
        : await session.takeAndAcknowledge(request.events, AbortSignal.timeout(ACKNOWLEDGE_MS_MAX));
    const venue = request.venueEvents === undefined ? undefined : await stored(session, request.venueEvents);
    return create(ReportEventsResponseSchema, {
      eventsAcknowledged: { commandIds },
      ...(venue === undefined ? {} : { venueEventsAcknowledged: venue }),
    });
  };
}

/** What of the batch became durable in time; an agent numbers its events in one journal. */
function stored(session: ExecutorSession, batch: VenueEventBatch): Promise<StoredNumbers | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ACKNOWLEDGE_MS_MAX);
    session.venue
      .takeEvents(batch)
      .then(([numbers]) => resolve(numbers), reject)
      .finally(() => clearTimeout(timer));
  });
}
