const SYMBOL_FORM = /^[A-Z0-9][A-Z0-9._:/-]{0,63}$/;

/** A symbol's one spelling: upper case; undefined when it cannot be one. */
export function normaliseSymbol(symbol: string): string | undefined {
  const upper = symbol.trim().toUpperCase();
  return SYMBOL_FORM.test(upper) ? upper : undefined;
}

/** What a symbol may consist of, in words. */
export const SYMBOL_RULE = "must be 1 to 64 of A–Z, 0–9, '.', '_', ':', '/', '-', such as BTC_USDT";
