import type { IncomingHttpHeaders } from 'node:http';
import { isIP, isIPv6 } from 'node:net';

/**
 * The address to which limits are applied. Behind `forwardedHops` trusted proxies it is the one that the outermost of them saw
 * and wrote into x-forwarded-for; what stands further left in that header is the caller's own invention.
 */
export function callerAddress(
  socketAddress: string | undefined,
  headers: IncomingHttpHeaders,
  forwardedHops: number,
): string {
  const own = grouped(socketAddress ?? 'unknown');
  if (forwardedHops === 0) return own;
  const header = headers['x-forwarded-for'];
  const chain = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((part) => part.trim());
  const seen = chain.at(-forwardedHops);
  return seen === undefined || isIP(seen) === 0 ? own : grouped(seen);
}

/** One subscriber has a whole /64 of IPv6 addresses, which therefore count as one. */
function grouped(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address) || address === '::1') return address;
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const middle = address.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : [];
  return `${[...before, ...middle, ...after]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}
