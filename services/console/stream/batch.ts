/** Gathers what streams in and hands it over at most once a `everyMs`, so that a burst draws once. */
export class Batch<T> {
  #gathered: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #take: (items: readonly T[]) => void;
  readonly #everyMs: number;

  constructor(take: (items: readonly T[]) => void, everyMs = 80) {
    this.#take = take;
    this.#everyMs = everyMs;
  }

  add(item: T): void {
    this.#gathered.push(item);
    this.#timer ??= setTimeout(() => this.flush(), this.#everyMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.length === 0) return;
    this.#take(this.#gathered.splice(0));
  }

  /** What was gathered and not handed over is forgotten. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = [];
  }
}
