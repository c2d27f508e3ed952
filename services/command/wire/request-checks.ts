import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { unknownFields } from '../../platform/grpc/parse.ts';
import { FieldChecks } from './field-checks.ts';

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;

/** The checks of a request, begun with the fields that this release does not know. */
export function checksOf<D extends DescMessage>(schema: D, request: MessageShape<D>): FieldChecks {
  return new FieldChecks(unknownFields(schema, request));
}

/** Rows on a page: 1 to 1000, 100 where nothing is said. */
export function pageSizeOf(pageSize: number, checks: FieldChecks): number {
  checks.integer('page_size', pageSize, 0, PAGE_SIZE_MAX);
  return pageSize === 0 ? PAGE_SIZE_DEFAULT : pageSize;
}

const LABELS_MAX = 32;
const LABEL_CHARS_MAX = 63;

/** Labels of an executor, in a request or a filter. */
export function checkLabels(labels: Readonly<Record<string, string>>, checks: FieldChecks): void {
  const entries = Object.entries(labels);
  if (entries.length > LABELS_MAX)
    checks.add('labels', `must have at most ${LABELS_MAX} entries, has ${entries.length}`);
  for (const [key, value] of entries.slice(0, LABELS_MAX)) {
    checks.text(`labels[${JSON.stringify(key.slice(0, LABEL_CHARS_MAX))}]`, value, { charsMax: LABEL_CHARS_MAX });
    if (key === '') checks.add('labels', 'must not have an empty key');
    else checks.text('labels (a key)', key, { charsMax: LABEL_CHARS_MAX });
  }
}
