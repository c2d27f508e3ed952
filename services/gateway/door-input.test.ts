import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import { create, type DescMessage, fromBinary, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { errorFromJson } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CommandService,
  IssueCommandRequestSchema,
  IssueCommandsRequestSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { pathOf } from '../platform/grpc/endpoint.ts';
import { reasonMetadataOf, reasonOf, violationsOf } from '../platform/grpc/status.ts';
import { policyOf, servedMethods } from './edge/method-policy.ts';
import { PUBLIC_SERVICES } from './handlers/index.ts';
import { openTestDoor, type TestDoor } from './test-door.ts';

const KIB = 1_024;
const ISSUE = '/strategos.command.v1.CommandService/IssueCommand';
/** An executor's, an operator's and a streaming RPC each, and everything that changes something. */
const METHODS = PUBLIC_SERVICES.flatMap((service) => servedMethods(service)).filter(
  (method) => policyOf(method).kind === 'operator',
);

interface Sent {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a body over HTTP/1.1 and reads the error out of the answer, whatever the protocol. */
async function errorOf(door: TestDoor, bearer: string, path: string, sent: Sent): Promise<ConnectError> {
  const response = await fetch(`${door.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': sent.contentType, authorization: `Bearer ${bearer}`, ...sent.headers },
    body: sent.body,
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (sent.contentType.startsWith('application/connect+')) return fromEndOfStream(bytes);
  if (sent.contentType.startsWith('application/grpc-web')) return fromTrailer(bytes);
  const json: JsonValue = JSON.parse(new TextDecoder().decode(bytes));
  return errorFromJson(json, undefined, new ConnectError(`no error: ${JSON.stringify(json)}`, Code.Unknown));
}

function fromEndOfStream(bytes: Uint8Array): ConnectError {
  const end: { error?: JsonValue } = JSON.parse(new TextDecoder().decode(bytes.subarray(5)));
  return errorFromJson(end.error ?? null, undefined, new ConnectError('no error', Code.Unknown));
}

function fromTrailer(bytes: Uint8Array): ConnectError {
  const text = new TextDecoder().decode(bytes.subarray(5));
  const trailer = new Headers(
    text
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
  );
  return findTrailerError(trailer) ?? new ConnectError('no error', Code.Unknown);
}

function jsonBody(value: unknown): Sent {
  return { contentType: 'application/json', body: JSON.stringify(value) };
}

/** The request as this method's protocol wants it; streams have envelopes. */
function as(method: (typeof METHODS)[number], codec: 'json' | 'proto', body: Uint8Array<ArrayBuffer>): Sent {
  if (method.methodKind === 'unary') return { contentType: `application/${codec}`, body };
  return { contentType: `application/connect+${codec}`, body: new Uint8Array(encodeEnvelope(0, body)) };
}

function zip(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(text));
}

function isMessage(desc: DescMessage, bytes: Uint8Array): boolean {
  try {
    return fromBinary(desc, bytes).$unknown === undefined;
  } catch (thrown) {
    return !(thrown instanceof Error);
  }
}

describe('at every RPC', () => {
  test('an unknown field is INVALID_ARGUMENT that names it, in JSON and in binary', async () => {
    await using door = await openTestDoor();
    const bearer = door.issue('admin');
    for (const method of METHODS) {
      const text = new TextEncoder().encode('{"createdAt":"now"}');
      const named = await errorOf(door, bearer, pathOf(method), as(method, 'json', text));
      expect([named.code, reasonOf(named)], method.toString()).toEqual([Code.InvalidArgument, 'INVALID_FIELD']);
      expect(
        violationsOf(named).map(({ field }) => field),
        method.toString(),
      ).toEqual(['createdAt']);
      // Field number 2 000, a varint.
      const numbered = await errorOf(door, bearer, pathOf(method), as(method, 'proto', Uint8Array.of(0x80, 0x7d, 1)));
      expect(numbered.code, method.toString()).toBe(Code.InvalidArgument);
      expect(
        violationsOf(numbered).map(({ field }) => field),
        method.toString(),
      ).toEqual(['#2000']);
    }
  });

  test('what is no message at all is INVALID_ARGUMENT, in JSON and in binary', async () => {
    await using door = await openTestDoor();
    const bearer = door.issue('admin');
    for (const method of METHODS) {
      for (const text of ['', '{"a":', '[]', 'null', '"x"', '\u0000']) {
        const error = await errorOf(door, bearer, pathOf(method), as(method, 'json', new TextEncoder().encode(text)));
        expect(error.code, `${method.toString()} ${JSON.stringify(text)}`).toBe(Code.InvalidArgument);
        expect(violationsOf(error), method.toString()).toHaveLength(1);
      }
      const truncated = await errorOf(door, bearer, pathOf(method), as(method, 'proto', Uint8Array.of(0x0a, 0x7f, 1)));
      expect(truncated.code, method.toString()).toBe(Code.InvalidArgument);
    }
  });
});

describe('faults of JSON', () => {
  test('all are listed with their paths, and nothing reaches the service', async () => {
    let reached = 0;
    await using door = await openTestDoor({ command: { issueCommand: () => ({ alreadyIssued: reached++ > 0 }) } });
    const bearer = door.issue('operator');
    const error = await errorOf(
      door,
      bearer,
      ISSUE,
      jsonBody({ executer: 'vps-1', openPosition: { side: 'LONG', quantity: 2 } }),
    );
    expect(Object.fromEntries(violationsOf(error).map(({ field, description }) => [field, description]))).toEqual({
      executer: 'unknown field, did you mean "executor"?',
      'open_position.side': 'unknown Side "LONG"; known are SIDE_BUY, SIDE_SELL',
      'open_position.quantity': 'expected a string, got the number 2',
    });
    expect(reasonMetadataOf(error)).toEqual({ fields: 'executer,open_position.side,open_position.quantity' });
    expect(reached).toBe(0);
  });

  test('a broken text is told with its place, a key that stands twice by its name, and bad bytes as such', async () => {
    await using door = await openTestDoor();
    const bearer = door.issue('operator');
    const send = (body: Sent['body']) => errorOf(door, bearer, ISSUE, { contentType: 'application/json', body });
    expect((await send('{"executor": vps}')).rawMessage).toMatch(/not JSON: .*position 13|not JSON: .*'v'/);
    expect((await send('{"executor":"a","executor":"b"}')).rawMessage).toContain('executor');
    expect((await send(Uint8Array.of(0x22, 0xff, 0x22))).rawMessage).toContain('not UTF-8');
  });

  test('the same holds for a GET of Connect', async () => {
    await using door = await openTestDoor({ command: { getCommand: ({ id }) => ({ command: { id } }) } });
    const headers = { authorization: `Bearer ${door.issue('viewer')}` };
    const url = `${door.url}/strategos.command.v1.CommandService/GetCommand?connect=v1&encoding=json`;
    const good = await fetch(`${url}&message=${encodeURIComponent('{"id":"c1"}')}`, { headers });
    expect(await good.json()).toEqual({ command: { id: 'c1' } });
    const base64 = await fetch(`${url}&base64=1&message=${Buffer.from('{"id":"c2"}').toString('base64url')}`, {
      headers,
    });
    expect(await base64.json()).toEqual({ command: { id: 'c2' } });
    const bad = await fetch(`${url}&message=${encodeURIComponent('{"commandId":"c1"}')}`, { headers });
    expect(bad.status).toBe(400);
    expect(await bad.text()).toContain('commandId: unknown field');
    const none = await fetch(`${url}&base64=1&message=!!!`, { headers });
    expect(none.status).toBe(400);
  });
});

describe('size', () => {
  test.each(['application/json', 'application/proto', 'application/grpc-web+proto', 'application/connect+json'])(
    '%s',
    async (contentType) => {
      await using door = await openTestDoor({ limits: { requestBytesMax: 64 * KIB } });
      const bearer = door.issue('operator');
      const path = contentType.includes('connect+') ? '/strategos.command.v1.CommandService/WatchCommands' : ISSUE;
      for (const bytes of [65 * KIB, 200 * KIB]) {
        const raw = new Uint8Array(bytes).fill(0x20);
        const body = contentType.includes('+') ? new Uint8Array(encodeEnvelope(0, raw)) : raw;
        const error = await errorOf(door, bearer, path, { contentType, body });
        expect([error.code, reasonOf(error)]).toEqual([Code.ResourceExhausted, 'MESSAGE_TOO_LARGE']);
        expect(reasonMetadataOf(error)).toEqual({ bytes_max: String(64 * KIB) });
      }
    },
  );

  test('compression hides nothing', async () => {
    await using door = await openTestDoor({
      limits: { requestBytesMax: 64 * KIB },
      command: { issueCommand: ({ executor }) => ({ command: { executorName: executor } }) },
    });
    const bearer = door.issue('operator');
    const headers = { 'content-encoding': 'gzip' };
    const bomb = await errorOf(door, bearer, ISSUE, {
      contentType: 'application/json',
      headers,
      body: zip(' '.repeat(10_000 * KIB)),
    });
    expect(reasonOf(bomb)).toBe('MESSAGE_TOO_LARGE');
    const unknown = await errorOf(door, bearer, ISSUE, {
      contentType: 'application/json',
      headers,
      body: zip('{"exec":1}'),
    });
    expect(violationsOf(unknown).map(({ field }) => field)).toEqual(['exec']);
    const junk = await errorOf(door, bearer, ISSUE, { contentType: 'application/json', headers, body: 'plain' });
    expect(junk.code).toBe(Code.InvalidArgument);
    const response = await fetch(`${door.url}${ISSUE}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: zip('{"executor":"vps-1"}'),
    });
    expect(await response.json()).toEqual({ command: { executorName: 'vps-1' } });
  });

  test('a megabyte with 500 commands is taken by default', async () => {
    await using door = await openTestDoor({
      command: { issueCommands: ({ requests }) => ({ outcomes: requests.map(() => ({})) }) },
    });
    const client = door.client(CommandService, door.issue('operator'), 'grpc');
    const request = create(IssueCommandRequestSchema, {
      executor: 'x'.repeat(1_900),
      kind: { case: 'ping', value: {} },
    });
    const requests = create(IssueCommandsRequestSchema, { requests: Array.from({ length: 500 }, () => request) });
    expect(toBinary(IssueCommandsRequestSchema, requests).length).toBeGreaterThan(900 * KIB);
    expect((await client.issueCommands(requests)).outcomes).toHaveLength(500);
  });

  test('a body that is announced as huge is refused before it is sent', async () => {
    await using door = await openTestDoor();
    const bearer = door.issue('operator');
    const socket = connectTcp(door.port, '127.0.0.1');
    const head = `POST ${ISSUE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${bearer}\r\n`;
    socket.write(`${head}Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n`);
    const answer = Buffer.concat(await Array.fromAsync<Buffer>(socket)).toString();
    expect(answer).toMatch(/^HTTP\/1.1 429 /);
    expect(answer).toContain('MESSAGE_TOO_LARGE');
  });
});

describe('frames', () => {
  test('truncated, doubled and foreign ones are refused, and the connection goes on', async () => {
    await using door = await openTestDoor({ command: { getCommandStats: () => ({ count: 1n }) } });
    const bearer = door.issue('viewer');
    const session = connectHttp2(door.url);
    const call = (body: Uint8Array): Promise<string> =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/strategos.command.v1.CommandService/GetCommandStats',
          'content-type': 'application/grpc',
          authorization: `Bearer ${bearer}`,
        });
        stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])));
        stream.on('error', reject);
        stream.resume();
        stream.end(body);
      });
    const invalid = String(Code.InvalidArgument);
    expect(await call(Uint8Array.of(0, 0, 0))).toBe(invalid);
    expect(await call(new Uint8Array())).toBe(invalid);
    expect(await call(Uint8Array.of(0, 0, 0, 0, 9, 1))).toBe(invalid);
    expect(await call(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toBe(invalid);
    expect(await call(Uint8Array.of(0, 0, 0, 0, 2, 0x80, 0x7d))).toBe(invalid);
    expect(await call(Uint8Array.of(0, 0, 0, 0, 0))).toBe('0');
    session.close();
  });

  test('random bytes never do more than get an answer', async () => {
    await using door = await openTestDoor({ command: { issueCommand: () => ({}) } });
    const bearer = door.issue('operator');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const error = await errorOf(door, bearer, ISSUE, {
          contentType: 'application/proto',
          body: new Uint8Array(bytes),
        }).catch((thrown: unknown) => {
          // Binary answers of calls that succeeded are no JSON.
          expect(thrown).toBeInstanceOf(SyntaxError);
          expect(isMessage(IssueCommandRequestSchema, bytes)).toBe(true);
        });
        if (error !== undefined) expect(error.code).toBe(Code.InvalidArgument);
      }),
      { numRuns: 200 },
    );
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });
});
