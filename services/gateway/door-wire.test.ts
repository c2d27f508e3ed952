import { get as httpsGet } from 'node:https';
import { connect as connectHttp2 } from 'node:http2';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { createAsyncIterable } from '@connectrpc/connect/protocol';
import { describe, expect, test, vi } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../proto/gen/grpc/health/v1/health_pb.js';
import { ServerReflection, type ServerReflectionRequest } from '../../proto/gen/grpc/reflection/v1/reflection_pb.js';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { selfSignedCertificate } from '../../test/harness/certificate.ts';
import { Stack } from '../platform/lifecycle.ts';
import { openTestDoor, startFakeCommand, type TestDoor } from './test-door.ts';

describe('paths', () => {
  test('an unknown one is 404 with the services, a near one with a suggestion', async () => {
    await using door = await openTestDoor();
    const unknown = await fetch(`${door.url}/api/v1/commands`);
    expect(unknown.status).toBe(404);
    const body: { code: string; services: string[] } = JSON.parse(await unknown.text());
    expect(body.code).toBe('unimplemented');
    expect(body.services).toContain('strategos.command.v1.CommandService');
    const near = await fetch(`${door.url}/strategos.command.v1.CommandService/SendCommand`, { method: 'POST' });
    expect(await near.text()).toContain('/strategos.command.v1.CommandService/');
    const stream = await fetch(`${door.url}/strategos.command.v1.ExecutorLinkService/Connect`, { method: 'POST' });
    expect(stream.status).toBe(404);
  });

  test('gRPC is told UNIMPLEMENTED in its own way', async () => {
    await using door = await openTestDoor();
    const session = connectHttp2(door.url);
    const stream = session.request({ ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' });
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    expect([headers[':status'], headers['grpc-status']]).toEqual([200, String(Code.Unimplemented)]);
    session.close();
  });

  test('a wrong HTTP method or content type is told what is right', async () => {
    await using door = await openTestDoor();
    const url = `${door.url}/strategos.command.v1.CommandService/IssueCommand`;
    const get = await fetch(url);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const form = await fetch(url, { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
    expect(form.status).toBe(415);
    expect(await form.text()).toContain('send application/json');
  });

  test('/ says what this is, and every answer has a request id', async () => {
    await using door = await openTestDoor();
    const response = await fetch(door.url);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const text = await response.text();
    for (const part of ['Strategos 0.0.0', 'strategos.command.v1.CommandService', 'buf curl', '/readyz']) {
      expect(text).toContain(part);
    }
  });
});

describe('health', () => {
  test('follows the command service, for load balancers and for gRPC', async () => {
    await using stack = new Stack();
    await using door = await openTestDoor({ commandUrls: [await startFakeCommand({}, stack)] });
    const client = door.client(Health, undefined, 'grpc');
    await vi.waitFor(async () => expect((await fetch(`${door.url}/readyz`)).status).toBe(200));
    expect((await client.check({})).status).toBe(ServingStatus.SERVING);
    expect((await client.check({ service: 'strategos.command.v1.CommandService' })).status).toBe(ServingStatus.SERVING);
    await expect(client.check({ service: 'nobody' })).rejects.toMatchObject({ code: Code.NotFound });
    const watch = client.watch({})[Symbol.asyncIterator]();
    expect((await watch.next()).value?.status).toBe(ServingStatus.SERVING);
    await stack.stop();
    expect((await watch.next()).value?.status).toBe(ServingStatus.NOT_SERVING);
    const ready = await fetch(`${door.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, dependencies: { command: 'down' } }]);
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
    const down = door.logs.filter((line) => line['msg'] === 'dependency does not answer');
    expect(down).toEqual([expect.objectContaining({ cause: expect.stringContaining('ECONNREFUSED') })]);
  });

  test('answers Connect JSON without a token', async () => {
    await using door = await openTestDoor();
    const check = () =>
      fetch(`${door.url}/grpc.health.v1.Health/Check`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    await vi.waitFor(async () => expect(await (await check()).json()).toEqual({ status: 'SERVING' }));
  });
});

describe('reflection', () => {
  type Question = ServerReflectionRequest['messageRequest'];
  async function ask(door: TestDoor, messageRequest: Question) {
    const client = door.client(ServerReflection, undefined, 'grpc');
    const requests = createAsyncIterable([{ host: 'h', messageRequest }]);
    const [answer] = await Array.fromAsync(client.serverReflectionInfo(requests));
    return answer?.messageResponse;
  }

  test('gives files from which every public service can be built, dependencies included', async () => {
    await using door = await openTestDoor();
    const listed = await ask(door, { case: 'listServices', value: '' });
    if (listed?.case !== 'listServicesResponse') throw new Error(`got ${listed?.case}`);
    const names = listed.value.service.map(({ name }) => name);
    expect(names).toContain('strategos.access.v1.AccessService');
    for (const name of names) {
      const answer = await ask(door, { case: 'fileContainingSymbol', value: name });
      if (answer?.case !== 'fileDescriptorResponse') throw new Error(`got ${answer?.case} for ${name}`);
      const files = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: dependenciesFirst(files) }));
      expect(registry.getService(name)?.methods.length, name).toBeGreaterThan(0);
    }
  });

  test('finds files by name, method and extension, and says what it does not know', async () => {
    await using door = await openTestDoor();
    const file = 'strategos/access/v1/access_service.proto';
    const base = 'google.protobuf.MethodOptions';
    const questions: Question[] = [
      { case: 'fileByFilename', value: file },
      { case: 'fileContainingSymbol', value: 'strategos.access.v1.AccessService.WhoAmI' },
      {
        case: 'fileContainingExtension',
        value: { $typeName: 'grpc.reflection.v1.ExtensionRequest', containingType: base, extensionNumber: 50_100 },
      },
    ];
    for (const question of questions) {
      const answer = await ask(door, question);
      if (answer?.case !== 'fileDescriptorResponse') throw new Error(`got ${answer?.case} for ${question.case}`);
      const [first] = answer.value.fileDescriptorProto;
      expect(first === undefined ? '' : fromBinary(FileDescriptorProtoSchema, first).name).toBe(file);
    }
    expect(await ask(door, { case: 'allExtensionNumbersOfType', value: base })).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: { extensionNumber: [50_100, 50_101] },
    });
    for (const question of [
      { case: 'fileByFilename', value: 'no.proto' },
      { case: 'fileContainingSymbol', value: 'no.Such' },
      { case: 'allExtensionNumbersOfType', value: 'no.Such' },
    ] as const) {
      expect(await ask(door, question)).toMatchObject({ case: 'errorResponse', value: { errorCode: Code.NotFound } });
    }
    expect(await ask(door, { case: undefined })).toMatchObject({ value: { errorCode: Code.InvalidArgument } });
  });
});

describe('CORS', () => {
  test('lets scripts of configured origins in, and no others', async () => {
    await using door = await openTestDoor({ env: { STRATEGOS_CORS_ORIGINS: 'https://ops.example' } });
    const url = `${door.url}/strategos.access.v1.AccessService/WhoAmI`;
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://ops.example' } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://ops.example');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const foreign = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const call = await fetch(url, {
      method: 'POST',
      body: '{}',
      headers: {
        origin: 'https://ops.example',
        'content-type': 'application/json',
        authorization: `Bearer ${door.issue('viewer')}`,
      },
    });
    expect([call.status, call.headers.get('access-control-allow-origin')]).toEqual([200, 'https://ops.example']);
    expect(call.headers.get('access-control-expose-headers')).toContain('x-request-id');
  });
});

test('with a certificate both versions of HTTP are served by TLS', async () => {
  const tls = selfSignedCertificate();
  await using door = await openTestDoor({ tls });
  const overHttp1 = await new Promise<string>((resolve, reject) => {
    httpsGet(
      `${door.url}/healthz`,
      { ca: tls.cert, servername: 'localhost', checkServerIdentity: () => undefined },
      (response) => {
        resolve(`${response.httpVersion} ${response.statusCode}`);
        response.resume();
      },
    ).on('error', reject);
  });
  expect(overHttp1).toBe('1.1 200');
  const session = connectHttp2(door.url, { ca: tls.cert, checkServerIdentity: () => undefined });
  const stream = session.request({ ':path': '/healthz' });
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    stream.once('response', resolve);
    session.once('error', reject);
  });
  expect(headers[':status']).toBe(200);
  stream.resume();
  session.close();
});

test('many calls at once on one connection are all answered', async () => {
  await using door = await openTestDoor();
  const client = door.client(AccessService, door.issue('viewer', 'main', 'busy'), 'grpc');
  const answers = await Promise.all(Array.from({ length: 200 }, () => client.whoAmI({})));
  expect(answers.map(({ token }) => token?.name)).toEqual(Array.from({ length: 200 }, () => 'busy'));
});

/** Imports before importers, as a descriptor set must be. */
function dependenciesFirst(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const sorted = new Map<string, FileDescriptorProto>();
  const visit = (file: FileDescriptorProto): void => {
    if (sorted.has(file.name)) return;
    for (const name of file.dependency) {
      const imported = files.find((other) => other.name === name);
      if (imported === undefined) throw new Error(`${file.name} imports ${name}, which did not come along`);
      visit(imported);
    }
    sorted.set(file.name, file);
  };
  files.forEach(visit);
  return [...sorted.values()];
}
