import { lookup } from 'node:dns/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../../platform/errors.ts';
import { type Finding, ill, skipped, timed, well } from './finding.ts';

const WITHIN_MS = 4_000;
const EXPIRES_SOON_MS = 14 * 86_400_000;

/** How the steps are called, and where a wrong address is corrected. */
export interface Naming {
  readonly step: (part: 'dns' | 'tcp' | 'tls') => string;
  readonly correct: string;
}

/** Name, port and certificate of an address, in this order; what cannot be reached ends it. */
export async function networkFindings(url: string, naming: Naming): Promise<Finding[]> {
  const target = targetOf(url);
  const dns = await dnsFinding(target.host, naming);
  if (dns.verdict === 'fault') return [dns, skipped(naming.step('tcp'), 'the name has no address')];
  const tcp = await tcpFinding(target, naming);
  if (tcp.verdict === 'fault' || !target.secure) return [dns, tcp];
  return [dns, tcp, await tlsFinding(target, naming)];
}

async function dnsFinding(host: string, { step, correct }: Naming): Promise<Finding> {
  const startMs = performance.now();
  try {
    const { value, tookMs } = await timed(() => lookup(host, { all: true }));
    return well(step('dns'), `${host} is ${value.map(({ address }) => address).join(', ')}`, tookMs);
  } catch (thrown) {
    const words = {
      found: `the name ${host} has no address: ${messageOf(thrown)}`,
      meaning: 'the address is misspelt, or this machine has no name server that knows it',
      next: `${correct}, or look with: getent hosts ${host}`,
    };
    return ill(step('dns'), 'fault', words, performance.now() - startMs);
  }
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Where a URL leads. */
export function targetOf(url: string): Target {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === 'https:';
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)), secure };
}

async function tcpFinding(target: Target, { step, correct }: Naming): Promise<Finding> {
  const startMs = performance.now();
  try {
    const { value, tookMs } = await timed(() =>
      opened(connectTcp({ host: target.host, port: target.port }), 'connect'),
    );
    value.destroy();
    return well(step('tcp'), `${target.host}:${target.port} accepts connections (${tookMs.toFixed(1)} ms)`, tookMs);
  } catch (thrown) {
    const words = {
      found: `${target.host}:${target.port} cannot be reached: ${plainly(thrown)}`,
      meaning: 'nothing listens there, or a firewall is between',
      next: `start the platform with strategos up, or ${correct}`,
    };
    return ill(step('tcp'), 'fault', words, performance.now() - startMs);
  }
}

async function tlsFinding(target: Target, { step }: Naming): Promise<Finding> {
  const startMs = performance.now();
  try {
    const socket = connectTls({
      host: target.host,
      port: target.port,
      servername: target.host,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    const { tookMs } = await timed(() => opened(socket, 'secureConnect'));
    const expiryMs = Date.parse(socket.getPeerCertificate().valid_to);
    const protocol = socket.alpnProtocol === false ? 'no ALPN' : socket.alpnProtocol;
    socket.destroy();
    const found = `certificate valid until ${new Date(expiryMs).toISOString().slice(0, 10)}, ${protocol}`;
    if (expiryMs - Date.now() > EXPIRES_SOON_MS) return well(step('tls'), found, tookMs);
    const words = { found, meaning: 'agents and operators are refused when it ends', next: 'renew the certificate' };
    return ill(step('tls'), 'warning', words, tookMs);
  } catch (thrown) {
    const words = {
      found: `no TLS with ${target.host}:${target.port}: ${plainly(thrown)}`,
      meaning: 'the certificate is not trusted here, is for another name, has ended, or the port speaks no TLS',
      next: 'use http:// for a plain port, or name the authority in NODE_EXTRA_CA_CERTS',
    };
    return ill(step('tls'), 'fault', words, performance.now() - startMs);
  }
}

function opened<S extends Socket>(socket: S, event: string): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${WITHIN_MS} ms`)), WITHIN_MS);
  socket.once(event, () => resolve(socket));
  socket.once('error', reject);
  return promise.finally(() => clearTimeout(timer));
}

/** Node's words for a failed connection, without the system call. */
export function plainly(thrown: unknown): string {
  const message = messageOf(thrown);
  if (message.includes('ECONNREFUSED')) return 'nothing listens there';
  if (message.includes('ETIMEDOUT') || message.includes('EHOSTUNREACH')) return 'no way there';
  return message;
}
