const DIGITS_MIN = 6;
/** As many as tell every number from its neighbours. */
const DIGITS_MAX = 17;

/**
 * A number that is shown beside the one it was compared with: six significant digits, and more where fewer would show it
 * above, below or equal to the other although it is not. NaN stays NaN.
 */
export function numberBeside(actual: number, other: number): number {
  for (let digits = DIGITS_MIN; digits < DIGITS_MAX; digits += 1) {
    const rounded = Number(actual.toPrecision(digits));
    if (Math.sign(rounded - other) === Math.sign(actual - other)) return rounded;
  }
  return actual;
}
