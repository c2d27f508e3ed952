import { Decimal } from 'decimal.js';

/**
 * Decimal arithmetic with 50 significant digits: sums that are added to and taken from again come out even, whatever is
 * divided in between. As text it is plain, however small: what the platform takes for a decimal has no exponent.
 */
export const Amount = Decimal.clone({ precision: 50, toExpNeg: -1_000, toExpPos: 1_000 });

/** Plain decimal notation with an optional sign and exponent; no hexadecimal, no infinity, no blanks. */
const DECIMAL_FORM = /^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/;
/** Longest text that is read as a number. */
const DECIMAL_CHARS_MAX = 64;

/** Money and quantities travel as text; undefined when the text is no decimal number. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > DECIMAL_CHARS_MAX || !DECIMAL_FORM.test(text)) return undefined;
  return new Amount(text);
}
