import type { UniversalHandlerFn } from '@connectrpc/connect/protocol';
import type { EdgeResponse } from './listener.ts';

export type RpcResponse = Awaited<ReturnType<UniversalHandlerFn>>;

/** What both versions of HTTP have in common for writing an answer. */
interface Writable {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(chunk: Uint8Array): boolean;
  addTrailers(headers: Record<string, string>): void;
  end(): unknown;
  destroy(error?: Error): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/**
 * Writes the answer of a protocol handler, no faster than it is read. A reader that takes nothing for `stallMs` is cut off: what
 * is held for it would stay for ever. The handler learns in every case that its answer is no longer wanted.
 */
export async function sendResponse(answer: RpcResponse, response: EdgeResponse, stallMs: number): Promise<void> {
  const writable: Writable = response;
  const chunks = answer.body?.[Symbol.asyncIterator]();
  try {
    // The first chunk is awaited before the headers go out, because handlers may still set headers until then.
    let next = await chunks?.next();
    if (writable.destroyed) return;
    writable.writeHead(answer.status, Object.fromEntries(answer.header ?? []));
    while (next !== undefined && next.done !== true) {
      if (!writable.write(next.value) && !(await drained(writable, stallMs))) return;
      next = await chunks?.next();
      if (writable.destroyed) return;
    }
    if (answer.trailer !== undefined) writable.addTrailers(Object.fromEntries(answer.trailer));
    writable.end();
  } finally {
    await chunks?.return?.();
  }
}

/** False when the connection was closed, by its peer or because the peer took nothing in time. */
function drained(writable: Writable, stallMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (alive: boolean): void => {
      clearTimeout(timer);
      writable.off('drain', onDrain);
      writable.off('close', onClose);
      resolve(alive);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    const timer = setTimeout(() => {
      writable.destroy();
      settle(false);
    }, stallMs);
    writable.on('drain', onDrain);
    writable.on('close', onClose);
    if (writable.destroyed) settle(false);
  });
}
