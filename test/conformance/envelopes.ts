const PREFIX_BYTES = 5;

/** A message behind its flags and length, as streams of Connect, gRPC and gRPC-Web carry it. */
export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** The whole envelopes at the beginning of `bytes`. */
export function envelopesOf(bytes: Uint8Array): Envelope[] {
  const found: Envelope[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + PREFIX_BYTES <= bytes.length; ) {
    const end = at + PREFIX_BYTES + view.getUint32(at + 1);
    if (end > bytes.length) break;
    found.push({ flags: view.getUint8(at), data: bytes.subarray(at + PREFIX_BYTES, end) });
    at = end;
  }
  return found;
}
