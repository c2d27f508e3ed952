import type { Random } from '../fault/random.ts';
import { data, frame, grpcMessage, headers, preface, reset } from '../../services/platform/grpc/raw-peer.ts';
import { beginningsOf, damaged, noise } from './noise.ts';
import { RawConnection, sayEach } from './raw-connection.ts';

/** A port, and a call that it serves: what an attacker with a valid credential knows. */
export interface AttackTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Messages of a call that goes well. */
  readonly messages: readonly Uint8Array[];
}

export interface Attack {
  readonly name: string;
  readonly run: (target: AttackTarget, random: Random) => Promise<void>;
}

/** HTTP/2 frame types, RFC 9113. */
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const PRIORITY = 2;
const UNKNOWN_TYPE = 99;

const NOISE_BYTES = 2_000;
const FLOOD_MS_MAX = 3_000;
const FRAMES_PER_WRITE = 200;
/** How soon a connection that goes too far is closed. */
const CUT_MS_MAX = 1_000;

function opening(target: AttackTarget, streamId = 1): Buffer {
  return headers(streamId, target.path, target.headers);
}

/** A call from the preface to its last message, as a well-behaved peer writes it. */
function wholeCall(target: AttackTarget): Buffer {
  const said = target.messages.map((message, at) =>
    data(1, grpcMessage(Buffer.from(message)), at === target.messages.length - 1),
  );
  return Buffer.concat([preface(), opening(target), ...said]);
}

function randomFrame(random: Random): Buffer {
  return frame(random.below(11), random.below(256), random.below(8), noise(random, random.below(300)));
}

/**
 * Writes frames after `begin` as fast as the peer takes them, until all are written, it closes, or the time is over.
 * @returns whether the peer has closed
 */
async function flood(port: number, begin: Buffer, count: number, frameAt: (index: number) => Buffer): Promise<boolean> {
  using connection = await RawConnection.open(port);
  await connection.say(begin);
  const endMs = performance.now() + FLOOD_MS_MAX;
  for (let at = 0; at < count && !connection.isClosed && performance.now() < endMs; at += FRAMES_PER_WRITE) {
    const frames = Array.from({ length: Math.min(FRAMES_PER_WRITE, count - at) }, (_, offset) => frameAt(at + offset));
    await connection.say(Buffer.concat(frames));
  }
  return connection.closedWithin(CUT_MS_MAX);
}

/** As `flood`. @throws when the peer bears it to its end. */
async function cutFlood(...flooding: Parameters<typeof flood>): Promise<void> {
  if (!(await flood(...flooding))) throw new Error('the port bore the whole flood');
}

/** What strangers and broken peers do to any HTTP/2 port. Each leaves when it is done. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'noise, plain, behind a preface, as frames, and in a call',
    run: (target, random) =>
      sayEach(
        target.port,
        Array.from({ length: 25 }, () => [
          noise(random, NOISE_BYTES),
          Buffer.concat([preface(), noise(random, NOISE_BYTES)]),
          Buffer.concat([preface(), ...Array.from({ length: 20 }, () => randomFrame(random))]),
          Buffer.concat([preface(), opening(target), data(1, noise(random, NOISE_BYTES))]),
          Buffer.concat([preface(), opening(target), data(1, grpcMessage(noise(random, NOISE_BYTES)))]),
        ]).flat(),
      ),
  },
  {
    name: 'other protocols',
    run: ({ port }) =>
      sayEach(
        port,
        [
          'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
          `GET / HTTP/1.1\r\nHost: x\r\nx-long: ${'a'.repeat(60_000)}\r\n\r\n`,
          'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nabc',
          'POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n',
          'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
          'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: AAM\r\n\r\n',
          'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
          'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
          'SSH-2.0-OpenSSH_9.2\r\n',
          '\u0016\u0003\u0001\u0000\u00c8\u0001\u0000\u0000\u00c4\u0003\u0003',
        ].map((text) => Buffer.from(text, 'latin1')),
      ),
  },
  {
    name: 'a call that is cut off after every byte',
    run: (target) => sayEach(target.port, beginningsOf(wholeCall(target))),
  },
  {
    name: 'a call with a damaged byte',
    run: (target, random) => sayEach(target.port, damaged(wholeCall(target), 300, random)),
  },
  {
    name: 'messages, frames and headers that are too large',
    run: (target, random) => {
      const large = noise(random, 16_000);
      const call = Buffer.concat([preface(), opening(target)]);
      const huge = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
      const compressed = Buffer.concat([Buffer.from([1, 0, 0, 0, 9]), noise(random, 9)]);
      const pieces = Array.from({ length: 100 }, () => data(1, large));
      const long = { 'x-long': 'a'.repeat(16_000) };
      return sayEach(target.port, [
        Buffer.concat([call, data(1, huge)]),
        Buffer.concat([call, data(1, Buffer.from([0, 0, 0x18, 0, 0])), ...pieces]),
        Buffer.concat([call, data(1, compressed)]),
        Buffer.concat([call, frame(0, 0, 1, noise(random, 100_000))]),
        Buffer.concat([
          preface(),
          headers(1, target.path, { ...target.headers, ...long, 'x-more': 'b'.repeat(16_000) }),
        ]),
        Buffer.concat([preface(), headers(1, `/${'p'.repeat(16_000)}`, target.headers)]),
      ]);
    },
  },
  {
    name: 'a flood of PING',
    run: ({ port }) => cutFlood(port, preface(), 20_000, () => frame(PING, 0, 0, Buffer.alloc(8))),
  },
  {
    name: 'a flood of SETTINGS',
    run: ({ port }) => cutFlood(port, preface(), 20_000, () => frame(SETTINGS, 0, 0)),
  },
  {
    name: 'calls that are reset as fast as they are opened',
    run: (target) =>
      cutFlood(target.port, preface(), 10_000, (at) => Buffer.concat([opening(target, 2 * at + 1), reset(2 * at + 1)])),
  },
  {
    name: 'a flood of empty DATA',
    run: async (target) => {
      await flood(target.port, Buffer.concat([preface(), opening(target)]), 50_000, () => data(1, Buffer.alloc(0)));
    },
  },
  {
    name: 'headers that go on for ever',
    run: (target) => {
      const begun = opening(target);
      // HEADERS without END_HEADERS.
      begun.writeUInt8(0, 4);
      return cutFlood(target.port, Buffer.concat([preface(), begun]), 5_000, () =>
        frame(CONTINUATION, 0, 1, Buffer.from([0, 1, 0x78, 1, 0x79])),
      );
    },
  },
  {
    name: 'floods of WINDOW_UPDATE, PRIORITY and frames of no known type',
    run: async ({ port }) => {
      await flood(port, preface(), 20_000, () => frame(WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 0, 1])));
      await flood(port, preface(), 20_000, (at) => frame(PRIORITY, 0, 2 * at + 1, Buffer.from([0, 0, 0, 0, 1])));
      await flood(port, preface(), 20_000, () => frame(UNKNOWN_TYPE, 0, 0, Buffer.alloc(100)));
    },
  },
];
