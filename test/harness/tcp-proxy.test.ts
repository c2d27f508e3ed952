import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

/** A server that sends back what it gets. */
async function echoServer(): Promise<AsyncDisposable & { readonly port: number; readonly received: () => string }> {
  const sockets = new Set<Socket>();
  let received = '';
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    received: () => received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

class TestClient implements Disposable {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    this.socket.on('error', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.ended = true;
    });
  }

  text(): string {
    return this.received.toString('utf8');
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

describe('tcp proxy', () => {
  test('forwards both ways and passes the end on', async () => {
    await using echo = await echoServer();
    await using proxy = await TcpProxy.start(echo.port);
    using client = new TestClient(proxy.port);
    const sent = Buffer.alloc(3_000_000, 'abcdefg');
    client.socket.end(sent);
    await until(() => client.ended, 'the end comes back');
    expect(client.received.equals(sent)).toBe(true);
    await until(() => proxy.connections === 0, 'the connection is forgotten');
  });

  test('cut resets open connections and takes new ones; refuse takes none until healed', async () => {
    await using echo = await echoServer();
    await using proxy = await TcpProxy.start(echo.port);
    using first = new TestClient(proxy.port);
    first.socket.write('one');
    await until(() => first.text() === 'one', 'the echo');
    proxy.cut();
    await until(() => first.ended, 'the cut is seen');
    using second = new TestClient(proxy.port);
    second.socket.write('two');
    await until(() => second.text() === 'two', 'the echo');
    proxy.refuse();
    await until(() => second.ended, 'the cut is seen');
    using refused = new TestClient(proxy.port);
    await until(() => refused.ended, 'the refusal is seen');
    proxy.heal();
    using third = new TestClient(proxy.port);
    third.socket.write('three');
    await until(() => third.text() === 'three', 'the echo');
  });

  test('a black hole in one direction swallows silently, the other direction goes on', async () => {
    await using echo = await echoServer();
    await using proxy = await TcpProxy.start(echo.port);
    using client = new TestClient(proxy.port);
    client.socket.write('before');
    await until(() => client.text() === 'before', 'the echo');
    proxy.blackhole('down');
    client.socket.write('lost');
    await until(() => echo.received() === 'beforelost', 'the way up still works');
    // A round trip that begins after the lost answer was given: nothing is merely late.
    using other = new TestClient(echo.port);
    other.socket.write('around');
    await until(() => other.text() === 'around', 'the way around the proxy');
    expect(client.text()).toBe('before');
    expect(client.ended).toBe(false);
    proxy.heal();
    await until(() => client.ended, 'a connection that lost bytes is cut');
  });

  test('delay holds back in order', async () => {
    await using echo = await echoServer();
    await using proxy = await TcpProxy.start(echo.port);
    proxy.delay(60);
    using client = new TestClient(proxy.port);
    const startedMs = performance.now();
    client.socket.write('a');
    client.socket.write('b');
    await until(() => client.text() === 'ab', 'both letters');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(115);
  });

  test('a rate limit lets so many bytes a second through', async () => {
    await using echo = await echoServer();
    await using proxy = await TcpProxy.start(echo.port);
    proxy.limitRate(200_000);
    using client = new TestClient(proxy.port);
    const startedMs = performance.now();
    client.socket.write(Buffer.alloc(60_000));
    await until(() => client.received.length === 60_000, 'all bytes');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(280);
  });
});
