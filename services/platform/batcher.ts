/** How a `Batcher` gathers and writes. */
export interface BatcherOptions<In, Out> {
  /** Largest batch given to `flush`. */
  readonly itemsMax: number;
  /** Handles a batch; must give one result an item, in order. A rejection rejects every caller of that batch. */
  readonly flush: (items: In[]) => Promise<Out[]>;
  /** How many flushes may run at once. 1 keeps the order of batches. Default 1. */
  readonly concurrency?: number;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns many single calls into few batches without waiting for a timer: an idle batcher flushes at the end of the current
 * turn, and what gathers while a flush runs goes with the next one. Under load batches grow by themselves.
 */
export class Batcher<In, Out> {
  readonly #options: BatcherOptions<In, Out>;
  readonly #concurrency: number;
  #waiting: Waiting<In, Out>[] = [];
  #running = 0;
  #scheduled = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(options: BatcherOptions<In, Out>) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 1;
  }

  /** Items that wait for a flush. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Queues an item; resolves with its own result. Rejects when its batch failed, or after `stop`. */
  add(item: In): Promise<Out> {
    if (this.#stopped) return Promise.reject(new Error('the batcher was stopped and takes nothing more'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** Takes nothing more; resolves when everything that was added is settled. */
  stop(): Promise<void> {
    this.#stopped = true;
    if (this.#running === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** A microtask, so that callers of one turn share the first batch. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#concurrency) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running < this.#concurrency) this.#start();
    });
  }

  #start(): void {
    const { itemsMax } = this.#options;
    const batch = this.#waiting.length <= itemsMax ? this.#waiting : this.#waiting.slice(0, itemsMax);
    this.#waiting = batch === this.#waiting ? [] : this.#waiting.slice(itemsMax);
    this.#running += 1;
    this.#run(batch)
      .then(
        (results) => results.forEach((out, index) => batch[index]?.resolve(out)),
        (error: unknown) => batch.forEach((waiting) => waiting.reject(error)),
      )
      .finally(() => {
        this.#running -= 1;
        if (this.#waiting.length > 0) this.#schedule();
        else if (this.#running === 0) for (const idle of this.#idle.splice(0)) idle();
      });
  }

  async #run(batch: readonly Waiting<In, Out>[]): Promise<Out[]> {
    const results = await this.#options.flush(batch.map((waiting) => waiting.item));
    if (results.length !== batch.length) {
      throw new Error(
        `a flush of ${batch.length} items gave ${results.length} results; it must give one an item, in order`,
      );
    }
    return results;
  }
}
