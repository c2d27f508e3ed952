import { connect } from 'nats';
import { probeSubject } from './subject.ts';

export interface RoundTrip {
  readonly connectMs: number;
  readonly roundTripMs: number;
}

/**
 * Connects anew, and sends one message to itself. For diagnosis: services keep a `NatsLink`.
 * @throws Error when there is no connection, or the message does not come back, within `withinMs`.
 */
export async function natsRoundTrip(url: string, withinMs: number): Promise<RoundTrip> {
  const startMs = performance.now();
  const connection = await connect({
    servers: url.split(','),
    timeout: withinMs,
    reconnect: false,
    noAsyncTraces: true,
  });
  try {
    const connectMs = performance.now() - startMs;
    const subject = probeSubject(`${process.pid}-${Math.random().toString(36).slice(2)}`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    connection.subscribe(subject, { max: 1, callback: (error) => (error === null ? resolve() : reject(error)) });
    await connection.flush();
    const sentMs = performance.now();
    connection.publish(subject);
    const timer = setTimeout(() => reject(new Error(`a message did not come back within ${withinMs} ms`)), withinMs);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
    return { connectMs, roundTripMs: performance.now() - sentMs };
  } finally {
    await connection.close();
  }
}
