import type { DescEnum, DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { type FieldViolation, invalidFields } from '../../platform/errors.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';

const TEXT_CHARS_MAX = 128;
const NANOS_PER_MS = 1_000_000;
const NANOS_MAX = 999_999_999;
const TIMESTAMP_MS_MAX = 253_402_300_799_999;
const SHOWN_CHARS_MAX = 40;
/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
const DECIMAL_FORM = /^\d+(\.\d+)?$/;
const SYMBOL_FORM = /^[A-Z0-9][A-Z0-9._:/-]{0,63}$/;

/** Gathers everything that is wrong with a request, so that a caller hears of all of it at once. */
export class FieldChecks {
  readonly #found: FieldViolation[];
  readonly #prefix: string;

  /** `found` is added to: checks of an inner message share the list of the outer one. */
  constructor(found: FieldViolation[], prefix = '') {
    this.#found = found;
    this.#prefix = prefix;
  }

  /** Checks of the message in `field`. */
  within(field: string): FieldChecks {
    return new FieldChecks(this.#found, this.#path(field));
  }

  add(field: string, description: string): void {
    this.#found.push({ field: this.#path(field), description });
  }

  /** @throws INVALID_ARGUMENT with everything that was found. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidFields(this.#found);
  }

  /** A name or id: printable, at most 128 characters unless told, no blanks at its ends. */
  text(field: string, value: string, { required = false, charsMax = TEXT_CHARS_MAX } = {}): void {
    if (value === '') {
      if (required) this.add(field, 'is required');
    } else if (value.length > charsMax) {
      this.add(field, `must have at most ${charsMax} characters, has ${value.length}`);
    } else if (!PRINTABLE.test(value)) this.add(field, 'must consist of printable characters');
    else if (value.trim() !== value) this.add(field, 'must not begin or end with a blank');
  }

  /** A symbol as markets keep it, in upper case. Gives it back in that form. */
  symbol(field: string, value: string, { required = false } = {}): string {
    const symbol = value.toUpperCase();
    if (value === '') {
      if (required) this.add(field, 'is required; there is no default symbol');
    } else if (!SYMBOL_FORM.test(symbol)) {
      this.add(field, `must be a symbol such as BTC_USDT, got ${JSON.stringify(value.slice(0, SHOWN_CHARS_MAX))}`);
    }
    return symbol;
  }

  decimal(field: string, value: string): void {
    if (value !== '' && !DECIMAL_FORM.test(value)) {
      const shown = JSON.stringify(value.slice(0, SHOWN_CHARS_MAX));
      this.add(field, `must be a decimal number such as "0.25", without sign or exponent, got ${shown}`);
    }
  }

  /** An enum value that this release knows; `required` refuses the unspecified one. */
  enumeration(field: string, desc: DescEnum, value: number, { required = false } = {}): void {
    if (desc.value[value] === undefined) this.add(field, `${value} is not a value of ${desc.typeName}`);
    else if (value === 0 && required) {
      const names = desc.values.filter(({ number }) => number !== 0).map(({ name }) => name);
      this.add(field, `is required: one of ${names.join(', ')}`);
    }
  }

  revision(field: string, value: bigint): void {
    if (value < 1n || value > BigInt(Number.MAX_SAFE_INTEGER)) this.add(field, `must be at least 1, got ${value}`);
  }

  count(field: string, count: number, max: number): void {
    if (count === 0) this.add(field, 'must not be empty');
    if (count > max) this.add(field, `must have at most ${max} entries, has ${count}`);
  }

  /** A span of 0 to `maxMs` in milliseconds; undefined when it is absent or refused. */
  span(field: string, value: Duration | undefined, maxMs: number): number | undefined {
    if (value === undefined) return undefined;
    const { nanos } = value;
    const seconds = Number(value.seconds);
    const sameSign = seconds === 0 || nanos === 0 || Math.sign(seconds) === Math.sign(nanos);
    const ms = seconds * 1_000 + Math.ceil(nanos / NANOS_PER_MS);
    if (!sameSign || Math.abs(nanos) > NANOS_MAX) {
      this.add(field, 'is not a valid duration: seconds and nanos must have the same sign, nanos below 10^9');
    } else if (ms < 0) this.add(field, 'must not be negative');
    else if (ms > maxMs) this.add(field, `must be at most ${Math.round(maxMs / 1_000)}s, is ${Math.ceil(ms / 1_000)}s`);
    else return ms;
    return undefined;
  }

  /** A time in milliseconds; 0 when it is refused. */
  time(field: string, value: Timestamp | undefined): number {
    if (value === undefined) {
      this.add(field, 'is required');
      return 0;
    }
    const ms = Number(value.seconds) * 1_000 + Math.floor(value.nanos / NANOS_PER_MS);
    if (value.nanos < 0 || value.nanos > NANOS_MAX || ms < 0 || ms > TIMESTAMP_MS_MAX) {
      this.add(field, 'is not a valid time since 1970');
      return 0;
    }
    return ms;
  }

  #path(field: string): string {
    return this.#prefix === '' ? field : `${this.#prefix}.${field}`;
  }
}

/** The checks of a request, begun with the fields that this release does not know. */
export function checksOf<D extends DescMessage>(schema: D, request: MessageShape<D>): FieldChecks {
  return new FieldChecks(unknownFields(schema, request));
}
