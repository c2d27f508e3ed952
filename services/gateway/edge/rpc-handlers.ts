import { type ConnectRouter, createConnectRouter } from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Logger } from '../../platform/logger.ts';
import { createGate } from './gate.ts';
import type { GateParts } from './gate-limits.ts';
import { recordInterceptor } from './record-interceptor.ts';

/** Answers larger than this are cut into an error rather than built up in memory. */
const ANSWER_BYTES_MAX = 16 * 1_048_576;

/** The protocol handlers of every RPC: gRPC, gRPC-Web and Connect, each behind the gate. */
export function createRpcHandlers({
  gate,
  requestBytesMax,
  logger,
  register,
}: {
  readonly gate: GateParts;
  readonly requestBytesMax: number;
  readonly logger: Logger;
  readonly register: (router: ConnectRouter) => void;
}): readonly UniversalHandler[] {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip],
    readMaxBytes: requestBytesMax,
    writeMaxBytes: ANSWER_BYTES_MAX,
    jsonOptions: { ignoreUnknownFields: false },
    requestGate: createGate(gate),
    interceptors: [recordInterceptor(logger)],
  });
  register(router);
  return router.handlers;
}
