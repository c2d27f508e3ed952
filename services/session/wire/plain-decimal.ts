import { Decimal } from 'decimal.js';

const EXPONENT_FORM = /^-?\d+(\.\d+)?[eE][+-]?\d{1,3}$/;

/**
 * A decimal as text without an exponent, which some venues write for tiny amounts and nobody behind the session service takes.
 * Any other text stays as it is.
 */
export function plainDecimal(text: string): string {
  return EXPONENT_FORM.test(text) ? new Decimal(text).toFixed() : text;
}
