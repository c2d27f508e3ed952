import type { Interceptor, Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { createGrpcTransport, type GrpcTransport } from '../../platform/grpc/transport.ts';
import { authorization, type ExecutorCredentials } from '../credentials.ts';

/** A connection of its own to one address of the executor port. */
export function streamTransport(url: string, credentials: ExecutorCredentials): GrpcTransport {
  return createGrpcTransport({
    urls: [url],
    ownConnection: true,
    headers: () => ({ authorization: authorization(credentials) }),
  });
}

/** Connect JSON over HTTP/1.1 to the gateway, which gets through any proxy; undefined without a gateway. */
export function pollTransport(credentials: ExecutorCredentials): Transport | undefined {
  const { gatewayUrl = '' } = credentials;
  if (gatewayUrl === '') return undefined;
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('authorization', authorization(credentials));
    return next(request);
  };
  // Text is what every proxy and every person in between can read.
  return createConnectTransport({
    httpVersion: '1.1',
    baseUrl: gatewayUrl,
    interceptors: [authorize],
    useBinaryFormat: false,
  });
}
