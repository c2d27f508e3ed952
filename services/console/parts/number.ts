/** 0 to 1 as percent; what is not all is never rounded up to it. */
export function percentText(share: number): string {
  if (share >= 1) return '100 %';
  return `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;
}

/** A decimal as the services write it, with groups of thousands and without needless digits; other texts as they are. */
export function decimalText(text: string, digitsMax = 8): string {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return text === '' ? '–' : text;
  const [whole = '', fraction = ''] = text.split('.');
  const shown = fraction.slice(0, digitsMax).replace(/0+$/, '');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
  return shown === '' ? grouped : `${grouped}.${shown}`;
}

/**
 * A number that is shown beside the one it was compared with: six significant digits, and more where fewer would show it
 * above, below or equal to the other although it is not.
 */
export function numberBeside(actual: number, other: number): number {
  for (let digits = 6; digits < 17; digits += 1) {
    const rounded = Number(actual.toPrecision(digits));
    if (Math.sign(rounded - other) === Math.sign(actual - other)) return rounded;
  }
  return actual;
}
