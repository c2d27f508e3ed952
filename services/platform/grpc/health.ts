import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { systemClock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { pause } from '../pause.ts';

/** How often a watched health state is looked at. */
const WATCH_INTERVAL_MS = 1_000;

/**
 * The standard health service over one question: can this process serve now? A check that throws counts as no.
 * The named service of a request is not looked at: a process serves all of its services or none.
 */
export function healthService(check: () => Promise<boolean>, logger?: Logger): ServiceImpl<typeof Health> {
  const ask = async (): Promise<HealthCheckResponse> => {
    let serving = false;
    try {
      serving = await check();
    } catch (thrown) {
      logger?.warn({ reason: messageOf(thrown) }, 'health check failed');
    }
    return create(HealthCheckResponseSchema, { status: serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING });
  };
  return {
    check: ask,
    async *watch(_request: unknown, context: HandlerContext) {
      let last: ServingStatus | undefined;
      while (!context.signal.aborted) {
        const response = await ask();
        if (response.status !== last) yield response;
        last = response.status;
        await pause(systemClock, WATCH_INTERVAL_MS, context.signal);
      }
    },
  };
}
