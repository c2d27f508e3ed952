import type { DescEnum } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { type FieldViolation, invalidFields } from '../../platform/errors.ts';
import { isId } from '../domain/executor.ts';
import { millisecondsOfDuration } from './time.ts';

const TEXT_CHARS_MAX = 128;
const DECIMAL_DIGITS_MAX = 38;
/** Plain decimal notation: no sign, no exponent, no blanks. */
const DECIMAL_FORM = /^\d+(\.\d+)?$/;
/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
const SHOWN_CHARS_MAX = 40;

export interface Presence {
  readonly required?: boolean;
}

/** Gathers everything that is wrong with a request, so that a caller hears of all of it at once. */
export class FieldChecks {
  readonly #found: FieldViolation[];
  readonly #prefix: string;

  /** `found` is added to: checks of an inner message share the list of the outer one. */
  constructor(found: FieldViolation[] = [], prefix = '') {
    this.#found = found;
    this.#prefix = prefix;
  }

  get violations(): readonly FieldViolation[] {
    return this.#found;
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

  /** A name or id: printable, at most 128 characters, no blanks at its ends. */
  text(
    field: string,
    value: string,
    { required = false, charsMax = TEXT_CHARS_MAX }: Presence & { readonly charsMax?: number } = {},
  ): void {
    if (value === '') {
      if (required) this.add(field, 'is required');
    } else if (value.length > charsMax) {
      this.add(field, `must have at most ${charsMax} characters, has ${value.length}`);
    } else if (!PRINTABLE.test(value)) {
      this.add(field, 'must consist of printable characters');
    } else if (value.trim() !== value) {
      this.add(field, 'must not begin or end with a blank');
    }
  }

  /** The id of a command. */
  id(field: string, value: string): void {
    if (value === '') this.add(field, 'is required');
    else if (!isId(value))
      this.add(field, `must be an id such as 0190f3c1-2f7a-7000-8000-0123456789ab, got ${shown(value)}`);
  }

  /** A decimal number in plain notation, of at most 38 digits; `above0` refuses zero. */
  decimal(
    field: string,
    value: string,
    { required = false, above0 = false }: Presence & { above0?: boolean } = {},
  ): void {
    if (value === '') {
      if (required) this.add(field, 'is required: a decimal number such as "0.25"');
    } else if (!DECIMAL_FORM.test(value)) {
      this.add(field, `must be a decimal number such as "0.25", without sign or exponent, got ${shown(value)}`);
    } else if (value.replace('.', '').length > DECIMAL_DIGITS_MAX) {
      this.add(field, `must have at most ${DECIMAL_DIGITS_MAX} digits`);
    } else if (above0 && !/[1-9]/.test(value)) {
      this.add(field, `must be above zero, got ${shown(value)}`);
    }
  }

  /** An enum value that this release knows; `required` refuses the unspecified one. */
  enumeration(field: string, desc: DescEnum, value: number, { required = false }: Presence = {}): void {
    if (desc.value[value] === undefined) {
      this.add(field, `${value} is not a value of ${desc.typeName}`);
    } else if (value === 0 && required) {
      const names = desc.values.filter(({ number }) => number !== 0).map(({ name }) => name);
      this.add(field, `is required: one of ${names.join(', ')}`);
    }
  }

  integer(field: string, value: number | bigint, min: number, max: number): void {
    if (value < min || value > max) this.add(field, `must be between ${min} and ${max}, got ${value}`);
  }

  /** A span of 0 to `maxMs` in milliseconds; undefined when it is absent or refused. */
  span(field: string, value: Duration | undefined, maxMs: number): number | undefined {
    if (value === undefined) return undefined;
    const ms = millisecondsOfDuration(value);
    if (Number.isNaN(ms))
      this.add(field, 'is not a valid duration: seconds and nanos must have the same sign, nanos below 10^9');
    else if (ms < 0) this.add(field, 'must not be negative');
    else if (ms > maxMs) this.add(field, `must be at most ${Math.round(maxMs / 1_000)}s, is ${Math.ceil(ms / 1_000)}s`);
    else return ms;
    return undefined;
  }

  #path(field: string): string {
    if (this.#prefix === '') return field;
    return field === '' ? this.#prefix : `${this.#prefix}.${field}`;
  }
}

function shown(value: string): string {
  return JSON.stringify(value.length <= SHOWN_CHARS_MAX ? value : `${value.slice(0, SHOWN_CHARS_MAX)}…`);
}
