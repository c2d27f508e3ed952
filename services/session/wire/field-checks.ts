import type { DescEnum, DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { validate as isUuid } from 'uuid';
import { type FieldViolation, invalidFields } from '../../platform/errors.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';
import { millisecondsOfDuration } from './time.ts';

const TEXT_CHARS_MAX = 128;
const DECIMAL_DIGITS_MAX = 38;
/** Plain decimal notation: no sign, no exponent, no blanks. */
const DECIMAL_FORM = /^\d+(\.\d+)?$/;
/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
/** Printable ASCII. */
const REQUEST_ID_FORM = /^[\x20-\x7e]{1,128}$/;
const SYMBOLS_MAX = 256;
const SYMBOL_FORM = /^[A-Z0-9][A-Z0-9._:/-]{0,63}$/;
const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;
const SHOWN_CHARS_MAX = 40;

/** Gathers everything that is wrong with a request, so that a caller hears of all of it at once. */
export class FieldChecks {
  readonly #found: FieldViolation[];

  constructor(found: FieldViolation[] = []) {
    this.#found = found;
  }

  add(field: string, description: string): void {
    this.#found.push({ field, description });
  }

  /** @throws INVALID_ARGUMENT with everything that was found. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidFields(this.#found);
  }

  /** A name or id: printable, at most 128 characters, no blanks at its ends. */
  text(field: string, value: string, required = false): void {
    if (value === '') {
      if (required) this.add(field, 'is required');
    } else if (value.length > TEXT_CHARS_MAX) {
      this.add(field, `must have at most ${TEXT_CHARS_MAX} characters, has ${value.length}`);
    } else if (!PRINTABLE.test(value)) this.add(field, 'must consist of printable characters');
    else if (value.trim() !== value) this.add(field, 'must not begin or end with a blank');
  }

  /** The id of a session or a halt; `required` false lets it be empty. */
  id(field: string, value: string, required = true): void {
    if (value === '') {
      if (required) this.add(field, 'is required');
    } else if (!isUuid(value)) {
      this.add(field, `must be an id such as 0190f3c1-2f7a-7000-8000-0123456789ab, got ${shown(value)}`);
    }
  }

  /** Symbols as markets name them, in any case, none of them twice. Gives them back in upper case. */
  symbols(field: string, values: readonly string[], required = false): string[] {
    if (values.length === 0 && required) this.add(field, 'is required: at least one, there is no default');
    if (values.length > SYMBOLS_MAX) this.add(field, `must have at most ${SYMBOLS_MAX} entries, has ${values.length}`);
    const symbols = values.slice(0, SYMBOLS_MAX).map((value) => value.toUpperCase());
    for (const [index, symbol] of symbols.entries()) {
      if (!SYMBOL_FORM.test(symbol)) {
        this.add(`${field}[${index}]`, `must be a symbol such as BTC_USDT, got ${shown(values[index] ?? '')}`);
      } else if (symbols.indexOf(symbol) !== index) this.add(`${field}[${index}]`, `names ${symbol} again`);
    }
    return symbols;
  }

  requestId(value: string): void {
    if (value !== '' && !REQUEST_ID_FORM.test(value)) {
      this.add('request_id', 'must be 1 to 128 printable ASCII characters');
    }
  }

  /** A decimal above zero in plain notation, of at most 38 digits. */
  amount(field: string, value: string, required: boolean): void {
    if (value === '') {
      if (required) this.add(field, 'is required: a decimal number such as "10000"');
    } else if (!DECIMAL_FORM.test(value)) {
      this.add(field, `must be a decimal number such as "10000", without sign or exponent, got ${shown(value)}`);
    } else if (value.replace('.', '').length > DECIMAL_DIGITS_MAX) {
      this.add(field, `must have at most ${DECIMAL_DIGITS_MAX} digits`);
    } else if (!/[1-9]/.test(value)) this.add(field, `must be above zero, got ${shown(value)}`);
  }

  /** An enum value that this release knows; `required` refuses the unspecified one. */
  enumeration(field: string, desc: DescEnum, value: number, required = false): void {
    if (desc.value[value] === undefined) this.add(field, `${value} is not a value of ${desc.typeName}`);
    else if (value === 0 && required) {
      const names = desc.values.filter(({ number }) => number !== 0).map(({ name }) => name);
      this.add(field, `is required: one of ${names.join(', ')}`);
    }
  }

  /** A span in milliseconds; `absent` where there is none, or what there is was refused. */
  span(field: string, value: Duration | undefined, { maxMs, absent }: { maxMs: number; absent: number }): number {
    if (value === undefined) return absent;
    const ms = millisecondsOfDuration(value);
    if (Number.isNaN(ms)) this.add(field, 'is not a valid duration: seconds and nanos must have the same sign');
    else if (ms < 0) this.add(field, 'must not be negative');
    else if (ms > maxMs) this.add(field, `must be at most ${maxMs / 1_000}s, is ${Math.ceil(ms / 1_000)}s`);
    else return ms;
    return absent;
  }

  /** Rows on a page: 1 to 1000, 100 where nothing is said. */
  pageSize(value: number): number {
    if (value < 0 || value > PAGE_SIZE_MAX)
      this.add('page_size', `must be between 0 and ${PAGE_SIZE_MAX}, got ${value}`);
    return value === 0 ? PAGE_SIZE_DEFAULT : value;
  }
}

/** The checks of a request, begun with the fields that this release does not know. */
export function checksOf<D extends DescMessage>(schema: D, request: MessageShape<D>): FieldChecks {
  return new FieldChecks(unknownFields(schema, request));
}

function shown(value: string): string {
  return JSON.stringify(value.length <= SHOWN_CHARS_MAX ? value : `${value.slice(0, SHOWN_CHARS_MAX)}…`);
}
