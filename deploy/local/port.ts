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

/** A loopback port that was free a moment ago, each call another one. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: LOOPBACK, port: 0, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
