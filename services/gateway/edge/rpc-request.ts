import { base64Decode } from '@bufbuild/protobuf/wire';
import type { ContextValues } from '@connectrpc/connect';
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node';
import { assertByteStreamRequest, createAsyncIterable, type UniversalHandler } from '@connectrpc/connect/protocol';
import { toConnectError } from '../../platform/grpc/status.ts';
import type { CallRecord } from './call-record.ts';
import type { EdgeRequest, EdgeResponse } from './listener.ts';
import { requestBytesMaxOf } from './method-policy.ts';
import { type BodyLimits, checkedBody, isGzip } from './request-body.ts';
import { applyTimeout, type TimeoutLimits } from './timeout-header.ts';
import { type WireForm, wireForm } from './wire-form.ts';

export type RpcRequest = Parameters<UniversalHandler>[0];

export interface RpcRequestLimits {
  readonly body: BodyLimits;
  readonly timeouts: TimeoutLimits;
}

/**
 * Turns a request into what the protocol handler takes: a GET of Connect into the POST that it stands for, the timeout within its
 * limits, the body checked on its way. Undefined when the content type is none of an RPC.
 */
export function rpcRequest(
  handler: UniversalHandler,
  request: EdgeRequest,
  response: EdgeResponse,
  contextValues: ContextValues,
  record: CallRecord,
  limits: RpcRequestLimits,
): RpcRequest | undefined {
  const plain = universalRequestFromNodeRequest(request, response, undefined, contextValues);
  const posted = plain.method === 'GET' ? fromQuery(plain) : plain;
  assertByteStreamRequest(posted);
  const form = wireForm(posted.header.get('content-type'));
  if (form === undefined) return undefined;
  const { methodKind } = handler.method;
  applyTimeout(posted.header, methodKind !== 'unary', form.protocol !== 'connect', limits.timeouts);
  if (methodKind === 'client_streaming' || methodKind === 'bidi_streaming') return posted;
  const source = continued(request, response, posted.body);
  const body = {
    ...limits.body,
    requestBytesMax: requestBytesMaxOf(handler.method, limits.body.requestBytesMax),
  };
  const checked = refusing(record, checkedBody(handler.method, form, new Headers(posted.header), source, body));
  return { ...posted, header: withoutUndoneEncoding(posted.header, form), body: checked };
}

/** A body that is larger than the limit, or no message, ends the call with the error that says so. */
async function* refusing(record: CallRecord, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    throw record.failedWith(toConnectError(thrown, { requestId: record.requestId }));
  }
}

/** Whoever waits to be asked for the body is asked when it is first read: after the gate. */
async function* continued(
  request: EdgeRequest,
  response: EdgeResponse,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (request.httpVersionMajor === 1 && /100-continue/i.test(request.headers.expect ?? '')) response.writeContinue();
  yield* body;
}

/** The content length and the compression were those of the body that was read. */
function withoutUndoneEncoding(header: Headers, form: WireForm): Headers {
  const changed = new Headers(header);
  changed.delete('content-length');
  if (!form.enveloped && isGzip(header.get(form.encodingHeader))) changed.delete(form.encodingHeader);
  return changed;
}

/** Connect's GET: the message, its encoding and compression stand in the query. */
function fromQuery(request: RpcRequest): RpcRequest {
  const query = new URL(request.url).searchParams;
  const header = new Headers(request.header);
  header.set('content-type', `application/${query.get('encoding') ?? 'json'}`);
  const compression = query.get('compression');
  if (compression !== null) header.set('content-encoding', compression);
  const version = query.get('connect');
  if (version !== null) header.set('connect-protocol-version', version.replace(/^v/, ''));
  const message = query.get('message') ?? '';
  const body = query.get('base64') === '1' ? decodedBase64(message) : new TextEncoder().encode(message);
  return { ...request, method: 'POST', header, body: createAsyncIterable([body]) };
}

/** What is not base64 becomes a body that no parser takes, and is refused there with a sentence. */
function decodedBase64(text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch (thrown) {
    if (thrown instanceof Error) return new TextEncoder().encode(`not base64: ${thrown.message}`);
    throw thrown;
  }
}
