import type { Metadata } from '@grpc/grpc-js';

// Between grpc-js Metadata, where `-bin` values are bytes, and fetch Headers, where they are base64 as on the wire.

/** Pairs for `new Headers(...)`. Values that no header can hold were already dropped by grpc-js. */
export function headerPairs(metadata: Metadata): [string, string][] {
  const pairs: [string, string][] = [];
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) {
      pairs.push([key, typeof value === 'string' ? value : value.toString('base64').replace(/=+$/, '')]);
    }
  }
  return pairs;
}

/**
 * Sets headers in metadata. Transport's own keys (`grpc-*`, `content-type`, `te`, `user-agent`, `:*`) are left out.
 * @throws Error naming the header, never its value, when it holds characters that no header can carry.
 */
export function addHeaders(metadata: Metadata, headers: Iterable<readonly [string, string]>): Metadata {
  for (const [key, value] of headers) {
    if (isReserved(key)) continue;
    try {
      if (key.toLowerCase().endsWith('-bin')) {
        metadata.remove(key);
        for (const part of value.split(',')) metadata.add(key, Buffer.from(part.trim(), 'base64'));
      } else {
        metadata.set(key, value);
      }
    } catch {
      // The library's own error quotes the value, which may be a secret.
      throw new Error(`header "${key}" holds characters that no header can carry; only printable ASCII can`);
    }
  }
  return metadata;
}

const RESERVED = /^(?:grpc-|:|content-type$|te$|user-agent$)/i;

function isReserved(key: string): boolean {
  return RESERVED.test(key);
}
