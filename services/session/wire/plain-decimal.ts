import { Decimal } from 'decimal.js';

const DECIMAL_FORM = /^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/;
const DECIMAL_CHARS_MAX = 64;

/**
 * A decimal as text without an exponent, which some venues write for tiny amounts and nobody behind the session service takes.
 * Empty for what is no decimal: agents may send anything, and one of them must not stop the sessions of all.
 */
export function plainDecimal(text: string): string {
  if (text.length > DECIMAL_CHARS_MAX || !DECIMAL_FORM.test(text)) return '';
  return /e/i.test(text) ? new Decimal(text).toFixed() : text;
}
