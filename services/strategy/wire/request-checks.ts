import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { type FieldViolation, invalidFields } from '../../platform/errors.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;
const TEXT_CHARS_MAX = 128;
/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

/** Gathers everything that is wrong with a request, so that a caller hears of all of it at once. */
export class RequestChecks {
  readonly #found: FieldViolation[];

  /** Begun with the fields that this release does not know. */
  constructor(found: FieldViolation[]) {
    this.#found = found;
  }

  get failed(): boolean {
    return this.#found.length > 0;
  }

  add(field: string, description: string): void {
    this.#found.push({ field, description });
  }

  /** A name or id: printable, at most 128 characters, no blanks at its ends. */
  text(field: string, value: string, { required = false } = {}): void {
    if (value === '') {
      if (required) this.add(field, 'is required');
    } else if (value.length > TEXT_CHARS_MAX) {
      this.add(field, `must have at most ${TEXT_CHARS_MAX} characters, has ${value.length}`);
    } else if (!PRINTABLE.test(value)) {
      this.add(field, 'must consist of printable characters');
    } else if (value.trim() !== value) {
      this.add(field, 'must not begin or end with a blank');
    }
  }

  /** A revision number, 0 where nothing is said unless it is required. */
  revision(field: string, value: bigint, { required = false } = {}): number {
    if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.add(field, `must be between 0 and ${Number.MAX_SAFE_INTEGER}, got ${value}`);
    } else if (value === 0n && required) {
      this.add(field, 'is required: the revision of the strategy that the change was made from');
    }
    return Number(value);
  }

  /** Rows on a page: 1 to 1000, 100 where nothing is said. */
  pageSize(value: number): number {
    if (value < 0 || value > PAGE_SIZE_MAX) {
      this.add('page_size', `must be between 0 and ${PAGE_SIZE_MAX}, got ${value}`);
    }
    return value === 0 ? PAGE_SIZE_DEFAULT : value;
  }

  /** @throws INVALID_ARGUMENT with everything that was found. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidFields(this.#found);
  }
}

export function checksOf<D extends DescMessage>(schema: D, request: MessageShape<D>): RequestChecks {
  return new RequestChecks(unknownFields(schema, request));
}
