import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { type FieldViolation, invalidFields } from '../../platform/errors.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';
import { normaliseSymbol, SYMBOL_RULE } from '../domain/symbol.ts';

const TEXT_CHARS_MAX = 128;
/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

/** Gathers everything that is wrong with a request, so that a caller hears of all of it at once. */
export class FieldChecks {
  readonly #found: FieldViolation[];

  constructor(found: readonly FieldViolation[] = []) {
    this.#found = [...found];
  }

  add(field: string, description: string): void {
    this.#found.push({ field, description });
  }

  /** @throws INVALID_ARGUMENT with everything that was found. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidFields(this.#found);
  }

  /** A name: printable, at most 128 characters. */
  text(field: string, value: string): void {
    if (value === '') this.add(field, 'is required');
    else if (value.length > TEXT_CHARS_MAX) {
      this.add(field, `must have at most ${TEXT_CHARS_MAX} characters, has ${value.length}`);
    } else if (!PRINTABLE.test(value)) this.add(field, 'must consist of printable characters');
  }

  /** The symbol's one spelling; empty when it is refused. */
  symbol(field: string, value: string): string {
    if (value === '') {
      this.add(field, 'is required');
      return '';
    }
    const symbol = normaliseSymbol(value);
    if (symbol === undefined) this.add(field, SYMBOL_RULE);
    return symbol ?? '';
  }

  number(field: string, value: number | bigint, min: number, max: number): void {
    if (!(value >= min && value <= max)) this.add(field, `must be between ${min} and ${max}, got ${value}`);
  }
}

/** The checks of a request, begun with the fields that this release does not know. */
export function checksOf<D extends DescMessage>(schema: D, request: MessageShape<D>): FieldChecks {
  return new FieldChecks(unknownFields(schema, request));
}
