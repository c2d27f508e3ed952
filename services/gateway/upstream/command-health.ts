import { createClient } from '@connectrpc/connect';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';

/** Asks the command replicas whether they serve. */
export interface CommandHealth {
  /** Resolves as soon as one replica serves; rejects with every replica's reason when none does. */
  check(signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createCommandHealth(urls: readonly string[]): CommandHealth {
  const replicas = urls.map((url) => {
    const transport = createGrpcTransport({ urls: [url] });
    return { url, transport, client: createClient(Health, transport) };
  });
  return {
    async check(signal) {
      await Promise.any(
        replicas.map(async ({ url, client }) => {
          const { status } = await client.check({}, { signal });
          if (status !== ServingStatus.SERVING) throw new Error(`${url} answers ${ServingStatus[status]}`);
        }),
      );
    },
    close: () => {
      for (const { transport } of replicas) transport.close();
    },
  };
}
