/** A value at a moment, in seconds since 1970. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** Several series on one axis of time: each has its value, or null, at each moment that any of them has. */
export function aligned(series: readonly (readonly Point[])[]): {
  readonly times: number[];
  readonly values: (number | null)[][];
} {
  const times = [...new Set(series.flatMap((points) => points.map(({ at }) => at)))].toSorted((a, b) => a - b);
  return {
    times,
    values: series.map((points) => {
      const at = new Map(points.map((point) => [point.at, point.value]));
      return times.map((time) => at.get(time) ?? null);
    }),
  };
}
