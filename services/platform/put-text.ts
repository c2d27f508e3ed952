/** A UTF-16 unit takes at most so many bytes in UTF-8. */
export const UTF8_BYTES_PER_UNIT_MAX = 3;
/** Below this a loop is faster than a call into the runtime. */
const SHORT_TEXT_CHARS = 64;

/** Puts a text as UTF-8 where there is room for it; gives how many bytes that were. */
export function putText(target: Buffer, text: string, start: number): number {
  const { length } = text;
  if (length > SHORT_TEXT_CHARS) return target.write(text, start, 'utf8');
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return target.write(text, start, 'utf8');
    target[start + i] = code;
  }
  return length;
}
