import { createHash } from 'node:crypto';

const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';
const HASH_DIGITS = 26;

/**
 * Label for broker orders: "st" and 26 digits of base 32 (130 bits of the id's SHA-256). Short and plain enough for every
 * venue that labels orders at all, and the same whenever it is computed.
 */
export function tagOf(commandId: string): string {
  const hash = createHash('sha256').update(commandId).digest();
  let text = 'st';
  for (let bit = 0; bit < 5 * HASH_DIGITS; bit += 5) {
    text += DIGITS[(hash.readUInt16BE(bit >> 3) >> (11 - (bit & 7))) & 31];
  }
  return text;
}
