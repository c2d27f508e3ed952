import { connect, type Socket } from 'node:net';

// For tests: HTTP/2 by hand, to send what no client would.

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** One HTTP/2 frame. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** The client preface with empty settings. */
export function preface(): Buffer {
  return Buffer.concat([PREFACE, frame(4, 0, 0)]);
}

/** HEADERS of a gRPC call, as HPACK literals. `extra` adds or overrides. */
export function headers(streamId: number, path: string, extra: Readonly<Record<string, string>> = {}): Buffer {
  const fields = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'test',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...extra,
  };
  const literals = Object.entries(fields).map(([name, value]) =>
    Buffer.concat([Buffer.from([0]), text(name), text(value)]),
  );
  return frame(1, 4, streamId, Buffer.concat(literals));
}

/** DATA, ending the stream's half when `end`. */
export function data(streamId: number, payload: Buffer, end = false): Buffer {
  return frame(0, end ? 1 : 0, streamId, payload);
}

/** A gRPC message with its five-byte prefix. */
export function grpcMessage(payload: Buffer, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed ? 1 : 0, 0);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

/** RST_STREAM with CANCEL. */
export function reset(streamId: number): Buffer {
  return frame(3, 0, streamId, Buffer.from([0, 0, 0, 8]));
}

/** A connected socket that forgets what it reads; its errors are its peer's reaction and expected. */
export function rawPeer(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
    socket.resume();
  });
}

/** HPACK string without Huffman coding; up to 16 511 bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const rest = bytes.length - 127;
  const length = rest < 128 ? [127, rest] : [127, (rest & 127) | 128, rest >> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
}
