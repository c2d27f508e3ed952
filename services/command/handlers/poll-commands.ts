import { create } from '@bufbuild/protobuf';
import { durationMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  type ExecutorLinkService,
  PollCommandsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { invalidFields } from '../../platform/errors.ts';
import { linkCallerOf } from '../link/link-caller.ts';
import type { LinkHandlerDependencies } from './link.ts';

/** Shorter than the read timeout, so that a polling agent is never taken for a silent one. */
const WAIT_MS_MAX = 15_000;
const FRAMES_PER_POLL_MAX = 32;

export function pollCommands(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService>['pollCommands'] {
  return async function (request, context) {
    const pollTime = timestampFromMs(deps.clock.nowMs());
    const caller = linkCallerOf(context);
    const { hello } = request;
    if (hello === undefined) throw invalidFields([{ field: 'hello', description: 'is required with every poll' }]);
    const current = deps.registry.get(caller.executorId);
    const continued =
      current?.identity.link === 'POLL' && current.isOpen && BigInt(current.identity.epoch) === request.streamEpoch;
    const session = continued ? current : await deps.acceptor.accept(caller, hello, 'POLL', deps.welcome);
    if (hello.inFlightMax !== session.inFlightMax) session.takeInFlightMax(hello.inFlightMax);
    const waitMs = request.wait === undefined ? 0 : Math.min(WAIT_MS_MAX, Math.max(0, durationMs(request.wait)));
    const frames = await session.poll(
      FRAMES_PER_POLL_MAX,
      AbortSignal.any([context.signal, AbortSignal.timeout(waitMs)]),
    );
    if (frames.length === 0 && session.endError !== undefined) throw session.endError;
    return create(PollCommandsResponseSchema, { frames, pollTime });
  };
}
