import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { hasCode } from './process-record.ts';

/** Everything that the local platform starts listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** Whether a server could listen on the loopback port now. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (thrown) => {
      if (hasCode(thrown, 'EADDRINUSE', 'EACCES')) resolve(false);
      else reject(thrown);
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Below the range from which systems take the ports of outgoing connections, so that a port stays free while unused. */
const FREE_PORTS = { first: 15_000, count: 17_000 };
const FREE_PORT_TRIES = 200;

/** A random loopback port that was free a moment ago. @throws Error when none is found. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < FREE_PORT_TRIES; tries++) {
    const port = FREE_PORTS.first + randomInt(FREE_PORTS.count);
    if (await portIsFree(port)) return port;
  }
  throw new Error(`no free port found between ${FREE_PORTS.first} and ${FREE_PORTS.first + FREE_PORTS.count}`);
}
