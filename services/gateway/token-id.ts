import { v7 } from 'uuid';

/** A new token's id: 32 hexadecimal digits that sort by time. */
export function newTokenId(): string {
  return v7().replaceAll('-', '');
}
