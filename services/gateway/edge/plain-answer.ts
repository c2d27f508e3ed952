import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { EdgeRequest, EdgeResponse } from './listener.ts';
import { nearestName } from './suggestion.ts';

/** Answers a GET; the path is known. */
export type PlainRoute = (request: EdgeRequest, response: EdgeResponse) => void;
export type PlainRoutes = ReadonlyMap<string, PlainRoute>;

/** gRPC's own number for UNIMPLEMENTED. */
const GRPC_UNIMPLEMENTED = '12';
const PATH_CHARS_MAX = 200;

export function answerText(response: EdgeResponse, status: number, text: string): void {
  write(response, status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, text);
}

/** A body of the form that Connect clients understand as an error: `code` and `message` at least. */
export function answerJson(response: EdgeResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  write(response, status, headers, `${JSON.stringify(body)}\n`);
}

/** Nothing is served at the path: says what is, in the way that the caller's protocol understands. */
export function answerUnknownPath(
  request: EdgeRequest,
  response: EdgeResponse,
  path: string,
  handlers: readonly UniversalHandler[],
): void {
  const shown = path.slice(0, PATH_CHARS_MAX);
  const services = [...new Set(handlers.map((handler) => handler.service.typeName))];
  const meant = nearestRpc(path, handlers);
  const message = `nothing is served at ${shown}${meant === undefined ? '' : `, did you mean ${meant}?`}`;
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('application/grpc')) {
    const headers = {
      'content-type': contentType,
      'grpc-status': GRPC_UNIMPLEMENTED,
      'grpc-message': encodeURIComponent(message),
    };
    write(response, 200, headers, '');
    return;
  }
  answerJson(response, 404, { code: 'unimplemented', message, services });
}

/** Looks among the methods of the service where it is known, otherwise among the services. */
function nearestRpc(path: string, handlers: readonly UniversalHandler[]): string | undefined {
  const [, service = '', method = ''] = path.split('/');
  const ofService = handlers.filter((handler) => handler.service.typeName === service);
  const candidates = ofService.length > 0 ? ofService : handlers;
  const name = nearestName(
    method,
    candidates.map((handler) => handler.method.name),
  );
  return name === undefined ? undefined : candidates.find((handler) => handler.method.name === name)?.requestPath;
}

function write(response: EdgeResponse, status: number, headers: Record<string, string>, body: string): void {
  if (response.destroyed) return;
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  if ('stream' in response) {
    response.writeHead(status, { ...headers, ...length });
    response.end(body);
  } else {
    response.writeHead(status, { ...headers, ...length });
    response.end(body);
  }
}
