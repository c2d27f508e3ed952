import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Exposition, Look } from './exposition.ts';

export const METRICS_PATH = '/metrics';
const CONNECTIONS_MAX = 100;

/** Where Prometheus comes for the figures. `onLook` hears of every look. */
export function metricsServer(exposition: Exposition, onLook: (look: Look) => void): Server {
  const server = createServer((request, response) => {
    answer(exposition, request, response, onLook).catch(() => response.destroy());
  });
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function answer(
  exposition: Exposition,
  { method, url }: IncomingMessage,
  response: ServerResponse,
  onLook: (look: Look) => void,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  if (url?.split('?', 1)[0] !== METRICS_PATH) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end(`the figures are at ${METRICS_PATH}\n`);
    return;
  }
  const look = await exposition.look();
  response.writeHead(200, { 'content-type': exposition.contentType }).end(look.text);
  onLook(look);
}
