import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import {
  type CheckLinkResponse,
  ExecutorLinkService,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { contractDigest } from '../../platform/grpc/contract-digest.ts';
import { reasonMetadataOf, reasonOf } from '../../platform/grpc/status.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';

const WITHIN_MS = 6_000;
/** Digest of the wire format that the agent of this installation speaks. */
const OWN_DIGEST = contractDigest(ExecutorLinkService.file);

/** What the platform made of the credential; the kinds below `answered` are its own words. */
export type LinkAnswer =
  | {
      readonly kind: 'answered';
      readonly response: CheckLinkResponse;
      /** The clock here minus the platform's, half of the way taken off, in milliseconds. */
      readonly offsetMs: number;
    }
  /** Who asks is not taken: the reason is CREDENTIAL_INVALID, CREDENTIAL_REVOKED or EXECUTOR_DISABLED. */
  | { readonly kind: 'refused'; readonly reason: string; readonly sentence: string }
  /** It is there and cannot serve now. */
  | { readonly kind: 'away'; readonly sentence: string }
  /** Whatever answers is not what was meant. */
  | { readonly kind: 'stranger'; readonly sentence: string };

/** Asks an executor port over gRPC. */
export async function askLink(url: string, credentials: Credentials): Promise<LinkAnswer> {
  const transport = createGrpcTransport({
    urls: [url],
    ownConnection: true,
    headers: () => ({ authorization: bearer(credentials) }),
  });
  try {
    return await ask(transport);
  } finally {
    transport.close();
  }
}

/** Asks the gateway as a polling agent does: JSON over HTTP/1.1. */
export function askGateway(url: string, credentials: Credentials): Promise<LinkAnswer> {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('authorization', bearer(credentials));
    return next(request);
  };
  const nodeOptions = { agent: false } as const;
  return ask(
    createConnectTransport({
      httpVersion: '1.1',
      baseUrl: url,
      interceptors: [authorize],
      useBinaryFormat: false,
      nodeOptions,
    }),
  );
}

/**
 * Whether the stream gets through to the executor port: opens one and ends it before a Hello, which takes no epoch.
 * @returns undefined when it does, and otherwise what came in place of the port's refusal
 */
export async function streamFault(url: string, credentials: Credentials): Promise<string | undefined> {
  const transport = createGrpcTransport({
    urls: [url],
    ownConnection: true,
    headers: () => ({ authorization: bearer(credentials) }),
  });
  try {
    const answers = createClient(ExecutorLinkService, transport).connect(nothing(), { timeoutMs: WITHIN_MS });
    for await (const _ of answers) return 'it sent a frame without having been greeted';
    return 'it ended the stream without a word';
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return reasonOf(error) === 'PROTOCOL_VIOLATION' ? undefined : sentenceOf(error);
  } finally {
    transport.close();
  }
}

async function* nothing(): AsyncGenerator<never> {
  // An agent that says nothing.
}

async function ask(transport: Transport): Promise<LinkAnswer> {
  const sentMs = Date.now();
  try {
    const client = createClient(ExecutorLinkService, transport);
    const response = await client.checkLink({ contractDigest: OWN_DIGEST }, { timeoutMs: WITHIN_MS });
    const middleMs = (sentMs + Date.now()) / 2;
    const platformMs = response.platformTime === undefined ? middleMs : timestampMs(response.platformTime);
    return { kind: 'answered', response, offsetMs: Math.round(middleMs - platformMs) };
  } catch (thrown) {
    return answerOf(ConnectError.from(thrown));
  }
}

function answerOf(error: ConnectError): LinkAnswer {
  const reason = reasonOf(error);
  const sentence = sentenceOf(error);
  if (reason === undefined || reasonMetadataOf(error)['port'] === 'internal') return { kind: 'stranger', sentence };
  if (error.code === Code.Unauthenticated || error.code === Code.PermissionDenied) {
    return { kind: 'refused', reason, sentence };
  }
  return error.code === Code.Unimplemented ? { kind: 'stranger', sentence } : { kind: 'away', sentence };
}

function sentenceOf(error: ConnectError): string {
  return error.rawMessage === '' ? (Code[error.code] ?? String(error.code)) : error.rawMessage;
}

function bearer({ keyId, secret }: Credentials): string {
  return `Bearer ${keyId}.${secret}`;
}
