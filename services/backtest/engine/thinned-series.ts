/** One value at a moment, milliseconds of market time. */
export interface Point {
  readonly timeMs: number;
  readonly value: number;
}

/**
 * Thins a series out for drawing while it comes in: of each span of time the first, the lowest, the highest and the last point
 * are kept, so that no spike is lost. Spans double whenever more than twice `pointsMax` points are held.
 */
export class ThinnedSeries {
  readonly #pointsMax: number;
  #spanMs: number;
  #buckets: Bucket[] = [];

  constructor(pointsMax: number, firstSpanMs = 1_000) {
    this.#pointsMax = pointsMax;
    this.#spanMs = firstSpanMs;
  }

  /** Times must not fall. */
  add(timeMs: number, value: number): void {
    const start = Math.floor(timeMs / this.#spanMs);
    const last = this.#buckets.at(-1);
    const point = { timeMs, value };
    if (last?.start === start) include(last, point);
    else this.#buckets.push({ start, first: point, low: point, high: point, last: point });
    if (this.#buckets.length * 4 > this.#pointsMax * 2) this.#widen();
  }

  /** What is left, in order of time, without repeats. */
  points(): Point[] {
    return this.#buckets.flatMap(({ first, low, high, last }) => {
      const [earlier, later] = low.timeMs <= high.timeMs ? [low, high] : [high, low];
      return [...new Set([first, earlier, later, last])];
    });
  }

  #widen(): void {
    this.#spanMs *= 2;
    const wider: Bucket[] = [];
    for (const bucket of this.#buckets) {
      const start = Math.floor(bucket.first.timeMs / this.#spanMs);
      const before = wider.at(-1);
      if (before?.start === start) {
        for (const point of [bucket.first, bucket.low, bucket.high, bucket.last]) include(before, point);
      } else wider.push({ ...bucket, start });
    }
    this.#buckets = wider;
  }
}

interface Bucket {
  /** Number of the span. */
  start: number;
  first: Point;
  low: Point;
  high: Point;
  last: Point;
}

function include(bucket: Bucket, point: Point): void {
  if (point.value < bucket.low.value) bucket.low = point;
  if (point.value > bucket.high.value) bucket.high = point;
  if (point.timeMs >= bucket.last.timeMs) bucket.last = point;
}
