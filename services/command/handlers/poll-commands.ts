import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  type ExecutorLinkService,
  type PollCommandsRequest,
  PollCommandsRequestSchema,
  PollCommandsResponseSchema,
  PriceInterestSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { invalidFields } from '../../platform/errors.ts';
import type { LinkCaller } from '../link/accept.ts';
import { linkCallerOf } from '../link/link-caller.ts';
import { offerOf } from '../link/offer.ts';
import type { ExecutorSession } from '../link/session.ts';
import { checkInterest } from '../wire/interest-checks.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { LinkHandlerDependencies } from './link-dependencies.ts';

/** Longest wait that may be asked for. */
const WAIT_ASKED_MS_MAX = 25_000;
/** Shorter than the read timeout, so that a polling agent is never taken for a silent one. */
const WAIT_MS_MAX = 15_000;
const FRAMES_PER_POLL_MAX = 32;
const NO_INTEREST = create(PriceInterestSchema);

export function pollCommands(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService>['pollCommands'] {
  return async function (request, context) {
    const pollMs = deps.clock.nowMs();
    const caller = linkCallerOf(context);
    const { session, waitMs } = await begin(deps, caller, request, pollMs).catch((thrown: unknown) => {
      deps.refusals.failed(caller, 'POLL', request.hello, thrown);
      throw thrown;
    });
    const frames = await session.poll(
      FRAMES_PER_POLL_MAX,
      AbortSignal.any([context.signal, AbortSignal.timeout(waitMs)]),
    );
    session.venue.noteHanded(frames);
    if (frames.length === 0 && session.endError !== undefined) throw session.endError;
    return create(PollCommandsResponseSchema, { frames, pollTime: timestampFromMs(pollMs) });
  };
}

/** Checks the poll, and finds the link that it goes on with or accepts a new one. */
async function begin(
  deps: LinkHandlerDependencies,
  caller: LinkCaller,
  request: PollCommandsRequest,
  pollMs: number,
): Promise<{ readonly session: ExecutorSession; readonly waitMs: number }> {
  const checks = checksOf(PollCommandsRequestSchema, request);
  const waitMs = Math.min(WAIT_MS_MAX, checks.span('wait', request.wait, WAIT_ASKED_MS_MAX) ?? 0);
  if (request.priceInterest !== undefined) checkInterest(checks.within('price_interest'), request.priceInterest);
  checks.throwIfAny();
  const { hello } = request;
  if (hello === undefined) throw invalidFields([{ field: 'hello', description: 'is required with every poll' }]);
  // An open link goes on without being offered again, but a hello that makes no sense is refused at any time.
  offerOf(caller.executorId, hello, 'POLL', pollMs);
  const current = deps.registry.get(caller.executorId);
  const continued =
    current?.identity.link === 'POLL' && current.isOpen && BigInt(current.identity.epoch) === request.streamEpoch;
  const interest = hello.takesPrices ? (request.priceInterest ?? NO_INTEREST) : undefined;
  const lost = continued && interest !== undefined && current.venue.hasLostAnswer(interest);
  // What the lost answer carried must come again, in order: a new link begins where the agent is.
  if (lost) current.end({ type: 'left', reason: 'the answer to a poll was lost' });
  const session = continued && !lost ? current : await deps.acceptor.accept(caller, hello, 'POLL', deps.welcome);
  if (hello.inFlightMax !== session.inFlightMax) session.takeInFlightMax(hello.inFlightMax);
  if (interest !== undefined) session.venue.takeInterest(interest);
  return { session, waitMs };
}
