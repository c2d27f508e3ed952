import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { DescMethod, JsonValue } from '@bufbuild/protobuf';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { acceptedJson, type Answer, fromErrorJson, fromTrailers, unreadable } from './answer.ts';
import { envelopesOf } from './envelopes.ts';

const END_OF_STREAM = 2;
const TRAILERS = 0x80;

/** Where requests go, and with which credential. */
export interface Target {
  readonly url: string;
  readonly bearer: string;
}

/** Sends bodies as given over HTTP/1.1, with connections of its own. */
export class Http1Wire implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  /** As a Connect client writes JSON. */
  async connectJson(target: Target, method: DescMethod, body: Uint8Array): Promise<Answer> {
    if (method.methodKind === 'unary') {
      const answer = await this.#post(target, method, 'application/json', body, allOf);
      const json: JsonValue = JSON.parse(new TextDecoder().decode(answer.body));
      return answer.status === 200 ? acceptedJson(method, json) : fromErrorJson(json);
    }
    const answer = await this.#post(target, method, 'application/connect+json', encodeEnvelope(0, body), firstOf);
    const [first] = envelopesOf(answer.body);
    if (first === undefined) return unreadable(`HTTP ${answer.status} without a message`);
    const json: JsonValue = JSON.parse(new TextDecoder().decode(first.data));
    if ((first.flags & END_OF_STREAM) === 0) return acceptedJson(method, json);
    return fromErrorJson(typeof json === 'object' && json !== null && 'error' in json ? (json.error ?? null) : json);
  }

  /** As a browser's gRPC-Web client writes binary. */
  async grpcWeb(target: Target, method: DescMethod, body: Uint8Array): Promise<Answer> {
    const collect = method.methodKind === 'unary' ? allOf : firstOf;
    const answer = await this.#post(target, method, 'application/grpc-web+proto', encodeEnvelope(0, body), collect);
    const envelopes = envelopesOf(answer.body);
    const data = envelopes.find(({ flags }) => (flags & TRAILERS) === 0)?.data;
    const trailer = envelopes.find(({ flags }) => (flags & TRAILERS) !== 0);
    if (data !== undefined && method.methodKind !== 'unary') return { type: 'accepted', response: undefined };
    const headers = trailer === undefined ? answer.headers : parseTrailer(new TextDecoder().decode(trailer.data));
    return fromTrailers(headers, method, data) ?? unreadable(`HTTP ${answer.status} without a gRPC status`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #post(
    { url, bearer }: Target,
    method: DescMethod,
    contentType: string,
    body: Uint8Array,
    collect: (response: IncomingMessage) => Promise<Uint8Array>,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Uint8Array }> {
    const request = httpRequest(`${url}${pathOf(method)}`, {
      method: 'POST',
      agent: this.#agent,
      headers: { 'content-type': contentType, authorization: `Bearer ${bearer}`, 'content-length': body.length },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', resolve);
    });
    request.end(body);
    const response = await answered;
    const headers = new Headers(
      Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return { status: response.statusCode ?? 0, headers, body: await collect(response) };
  }
}

async function allOf(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Up to the first whole envelope: a watch that was accepted never ends by itself. */
async function firstOf(response: IncomingMessage): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of response) {
    if (chunk instanceof Uint8Array) bytes = Buffer.concat([bytes, chunk]);
    if (envelopesOf(bytes).length > 0) break;
  }
  response.destroy();
  return bytes;
}

function parseTrailer(text: string): Headers {
  const lines = text.split('\r\n').filter((line) => line !== '');
  return new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}
