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

/** Adds headers to metadata. Transport's own keys (`grpc-*`, `content-type`, `te`, `:*`) are left out. */
export function addHeaders(metadata: Metadata, headers: Headers): Metadata {
  for (const [key, value] of headers) {
    if (isReserved(key)) continue;
    if (key.endsWith('-bin')) {
      for (const part of value.split(',')) metadata.add(key, Buffer.from(part.trim(), 'base64'));
    } else {
      metadata.add(key, value);
    }
  }
  return metadata;
}

function isReserved(key: string): boolean {
  return (
    key.startsWith('grpc-') || key.startsWith(':') || key === 'content-type' || key === 'te' || key === 'user-agent'
  );
}
