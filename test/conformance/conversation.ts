import { connect, constants } from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { type Answer, fromTrailers, unreadable } from './answer.ts';
import { envelopesOf } from './envelopes.ts';
import type { Target } from './wire-http1.ts';
import { headersOf } from './wire-http2.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';

/** A heartbeat that proves, when it is answered, that everything before it was taken. */
const PROOF = 4_711n;
const ANSWER_MS_MAX = 30_000;

/** The bytes of one frame. */
export function frameBytes(frame: Parameters<typeof create<typeof ConnectRequestSchema>>[1]): Uint8Array {
  return toBinary(ConnectRequestSchema, create(ConnectRequestSchema, frame));
}

/** A Hello that any link port takes. */
export function helloFrame(journalId: string): Uint8Array {
  const hello = {
    journalId,
    agentVersion: 'conformance',
    contractDigest: OWN_DIGEST,
    kinds: ['ping'],
    inFlightMax: 10,
    takesPrices: true,
  };
  return frameBytes({ frame: { case: 'hello', value: hello } });
}

/**
 * Opens a stream to the executor port with a connection of its own, says the frames one after the other, and resolves when the
 * port has ended the stream, or has answered a heartbeat that came behind them; without `proof` no such heartbeat is sent.
 * Never rejects for what the port does.
 */
export function converse(
  target: Target,
  frames: readonly Uint8Array[],
  extraHeaders: Readonly<Record<string, string>> = {},
  { proof: withProof = true }: { readonly proof?: boolean } = {},
): Promise<Answer> {
  const session = connect(target.url);
  return new Promise<Answer>((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': pathOf(ExecutorLinkService.method.connect),
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      authorization: `Bearer ${target.bearer}`,
      ...extraHeaders,
    });
    const timer = setTimeout(() => resolve(unreadable(`no answer within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX);
    let bytes = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (envelopesOf(bytes).some(({ data }) => isProof(data))) resolve({ type: 'accepted', response: undefined });
    });
    const end = (headers: Parameters<typeof headersOf>[0]): void => {
      const answer = fromTrailers(headersOf(headers), ExecutorLinkService.method.connect, undefined);
      if (answer !== undefined) resolve(answer);
    };
    stream.on('response', end);
    stream.on('trailers', end);
    stream.on('error', (error) => resolve(unreadable(error.message)));
    session.on('error', (error) => resolve(unreadable(error.message)));
    stream.on('close', () => {
      clearTimeout(timer);
      resolve(unreadable('the stream ended without a gRPC status'));
    });
    const proof = frameBytes({ frame: { case: 'heartbeat', value: { number: PROOF } } });
    for (const frame of [...frames, ...(withProof ? [proof] : [])]) stream.write(encodeEnvelope(0, frame));
  }).finally(() => session.destroy(undefined, constants.NGHTTP2_NO_ERROR));
}

function isProof(data: Uint8Array): boolean {
  const { frame } = fromBinary(ConnectResponseSchema, data);
  return frame.case === 'heartbeatReply' && frame.value.number === PROOF;
}
