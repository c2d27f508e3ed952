import { type Client, createClient } from '@connectrpc/connect';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Secret } from '../../services/executor/index.ts';
import { pollTransport, streamTransport } from '../../services/executor/stream/transports.ts';
import type { GrpcTransport } from '../../services/platform/grpc/transport.ts';
import { OWN_DIGEST } from '../../test/harness/own-contract.ts';
import { SAMPLE } from '../golden/sample-values.ts';

/** What an executor says of itself that can be pinged and nothing else. */
export const PINGER = {
  journalId: SAMPLE.journalId,
  agentVersion: '1.0.0',
  contractDigest: OWN_DIGEST,
  kinds: ['ping'],
  inFlightMax: 8,
};

/** The agent's own connection to the executor port of one replica. */
export function streamLink(url: string, { keyId, secret }: Credentials): GrpcTransport {
  return streamTransport(url, { keyId, secret: new Secret(secret), linkUrls: [url] });
}

/** A pinger polls for the first time, which gets it epoch 1. @returns its link */
export async function pollOnce(
  { keyId, secret }: Credentials,
  gatewayUrl: string,
): Promise<Client<typeof ExecutorLinkService>> {
  const transport = pollTransport({ keyId, secret: new Secret(secret), linkUrls: [], gatewayUrl });
  if (transport === undefined) throw new Error('there is no gateway to poll');
  const link = createClient(ExecutorLinkService, transport);
  await link.pollCommands({ hello: PINGER });
  return link;
}
