import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthCheckResponseSchema,
} from '../../../proto/gen/grpc/health/v1/health_pb.js';

/** What health is answered from; `Readiness` provides it. */
export interface HealthSource {
  /** True when the service of that name can serve now, "" being the gateway as a whole; undefined for one it does not have. */
  isServing(service: string): boolean | undefined;
  onChange(listener: () => void): () => void;
  /** Aborts when watches are to end. */
  readonly watchesEnd: AbortSignal;
}

/** The standard health service, by service name. */
export function healthHandlers(source: HealthSource): ServiceImpl<typeof Health> {
  return {
    check(request) {
      const serving = source.isServing(request.service);
      if (serving === undefined) throw new ConnectError(`no service "${request.service}" here`, Code.NotFound);
      return response(serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    },
    async *watch(request, context) {
      const signal = AbortSignal.any([context.signal, source.watchesEnd]);
      let last: ServingStatus | undefined;
      while (!signal.aborted) {
        const changed = nextChange(source, signal);
        const now = statusOf(source.isServing(request.service));
        if (now !== last) yield response(now);
        last = now;
        await changed;
      }
    },
  };
}

function statusOf(serving: boolean | undefined): ServingStatus {
  if (serving === undefined) return ServingStatus.SERVICE_UNKNOWN;
  return serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}

function response(status: ServingStatus): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status });
}

/** Resolves at the next change, or when the signal aborts. */
function nextChange(source: HealthSource, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = source.onChange(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
