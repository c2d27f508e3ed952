import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { targetOf } from '../doctor/network.ts';

const WITHIN_MS = 4_000;
const SETTINGS_FRAME_TYPE = 4;
const FRAME_HEADER_BYTES = 9;
/** How every HTTP/2 client begins: the preface, and a SETTINGS frame that sets nothing. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, SETTINGS_FRAME_TYPE, 0, 0, 0, 0, 0]),
]);

/** What came back to the words with which HTTP/2 begins. */
export type PrefaceAnswer =
  | { readonly kind: 'http2' }
  /** Why HTTP/2 cannot be spoken there, as the rest of a sentence. */
  | { readonly kind: 'blocked'; readonly why: string };

/** Says to an address what HTTP/2 begins with. Rejects only when it cannot be connected to. */
export async function answerToPreface(url: string): Promise<PrefaceAnswer> {
  const { host, port, secure } = targetOf(url);
  const socket = secure
    ? connectTls({ host, port, servername: host, ALPNProtocols: ['h2', 'http/1.1'] })
    : connectTcp({ host, port });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
      socket.setTimeout(WITHIN_MS, () => reject(new Error(`no connection within ${WITHIN_MS} ms`)));
    });
    if (secure && 'alpnProtocol' in socket && socket.alpnProtocol !== 'h2') {
      return { kind: 'blocked', why: 'the TLS end there agrees to HTTP/1.1 only' };
    }
    socket.write(PREFACE);
    return judge(await firstBytes(socket));
  } finally {
    socket.destroy();
  }
}

function judge(answer: Buffer | 'closed' | 'silent'): PrefaceAnswer {
  if (answer === 'silent') return { kind: 'blocked', why: `nothing is answered to it within ${WITHIN_MS} ms` };
  if (answer === 'closed') return { kind: 'blocked', why: 'the connection is closed when it is spoken' };
  if (answer.subarray(0, 5).toString('latin1') === 'HTTP/') {
    return { kind: 'blocked', why: `it is answered in HTTP/1.1: ${firstLine(answer)}` };
  }
  if (answer[3] === SETTINGS_FRAME_TYPE) return { kind: 'http2' };
  return { kind: 'blocked', why: 'what is answered is no HTTP' };
}

/** The first bytes that come, as many as a frame's header has. */
function firstBytes(socket: Socket): Promise<Buffer | 'closed' | 'silent'> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= FRAME_HEADER_BYTES) resolve(received);
    });
    const ended = (): void => resolve(received.length > 0 ? received : 'closed');
    socket.once('end', ended).once('error', ended).once('close', ended);
    socket.setTimeout(WITHIN_MS, () => resolve('silent'));
  });
}

function firstLine(answer: Buffer): string {
  return answer.toString('latin1').split('\r\n', 1)[0] ?? '';
}
