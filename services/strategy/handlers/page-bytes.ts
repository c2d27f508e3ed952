import type { Revision } from '../domain/strategy-book.ts';

/** Well below what a port sends, as JSON too: a definition travels as a message and as its JSON form. */
const PAGE_JSON_CHARS_MAX = 2 * 1_048_576;

/** As many items from the beginning as one message may hold, at least one. */
export function fitting<T>(items: readonly T[], revisionOf: (item: T) => Revision): readonly T[] {
  let chars = 0;
  const end = items.findIndex((item, index) => {
    chars += revisionOf(item).json.length;
    return index > 0 && chars > PAGE_JSON_CHARS_MAX;
  });
  return end === -1 ? items : items.slice(0, end);
}
