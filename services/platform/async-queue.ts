/** Bounds of an `AsyncQueue`, and the hook of a producer that paused because it was full. */
export interface AsyncQueueOptions {
  readonly itemsMax: number;
  /** Called after items were taken, so that a paused producer can go on. Must not throw. */
  readonly onTake?: () => void;
}

type QueueState =
  /** Takes and gives items. */
  | { readonly kind: 'open' }
  /** Takes nothing more; gives what is buffered, then ends. */
  | { readonly kind: 'ended' }
  /** Takes nothing more; the next read throws. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The consumer is gone. */
  | { readonly kind: 'left' };

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** Where the array's dead front is cut off, so that shifting stays cheap without keeping taken slots for ever. */
const DEAD_SLOTS_MAX = 256;

/**
 * Bounded queue between one or more producers and one consumer, read as an async iterable or in batches with `drain`.
 * A full queue refuses: the producer decides what that means. Nothing is ever dropped silently.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #itemsMax: number;
  readonly #onTake: (() => void) | undefined;
  #state: QueueState = { kind: 'open' };
  #items: T[] = [];
  #head = 0;
  #waiter: Waiter<T> | undefined;
  #readable: ((readable: boolean) => void) | undefined;

  constructor(options: AsyncQueueOptions) {
    this.#itemsMax = options.itemsMax;
    this.#onTake = options.onTake;
  }

  /** Number of items waiting. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** False once `end`, `fail` or the consumer closed the queue. */
  get open(): boolean {
    return this.#state.kind === 'open';
  }

  /** Adds an item. False when the queue is full or no longer open; then the item was not taken. */
  push(item: T): boolean {
    if (this.#state.kind !== 'open') return false;
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: item });
      return true;
    }
    if (this.size >= this.#itemsMax) return false;
    this.#items.push(item);
    this.#wake(true);
    return true;
  }

  /** No more items will come; what is buffered is still delivered. */
  end(): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'ended' };
    this.#waiter?.resolve({ done: true, value: undefined });
    this.#waiter = undefined;
    this.#wake(this.size > 0);
  }

  /** The consumer's next read throws `error`; what is buffered is discarded. */
  fail(error: unknown): void {
    if (this.#state.kind !== 'open' && this.#state.kind !== 'ended') return;
    this.#state = { kind: 'failed', error };
    this.#clear();
    this.#waiter?.reject(error);
    this.#waiter = undefined;
    this.#wake(true);
  }

  /**
   * Takes up to `itemsMax` buffered items at once, without waiting; empty when there are none.
   * @throws the error given to `fail`.
   */
  drain(itemsMax: number): T[] {
    if (this.#state.kind === 'failed') throw this.#state.error;
    const head = this.#head;
    if (head === 0 && this.#items.length <= itemsMax) {
      // The array stays: a new one would age while it waits, and hold what it is given then until a full collection. With a
      // thousand streams that was 8 of 13 KB a command, and such collections of 40 to 140 ms every 15 s at 500 commands a second.
      const all = this.#items.slice();
      this.#items.length = 0;
      if (all.length > 0) this.#onTake?.();
      return all;
    }
    const taken = this.#items.slice(head, head + itemsMax);
    this.#head += taken.length;
    this.#compact();
    if (taken.length > 0) this.#onTake?.();
    return taken;
  }

  /**
   * Resolves with true as soon as `drain` has something to give or to throw, with false when the queue has come to its end
   * or `signal` aborts the wait.
   */
  readable(signal?: AbortSignal): Promise<boolean> {
    if (this.size > 0 || this.#state.kind === 'failed') return Promise.resolve(true);
    if (this.#state.kind !== 'open') return Promise.resolve(false);
    if (this.#waiter !== undefined || this.#readable !== undefined) throw new Error('an AsyncQueue has one consumer');
    if (signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      if (signal === undefined) {
        this.#readable = resolve;
        return;
      }
      const give = (): void => this.#wake(false);
      const settle = (readable: boolean): void => {
        signal.removeEventListener('abort', give);
        resolve(readable);
      };
      this.#readable = settle;
      signal.addEventListener('abort', give, { once: true });
    });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.size > 0) {
      const value = this.#items[this.#head]!;
      this.#head += 1;
      this.#compact();
      this.#onTake?.();
      return Promise.resolve({ done: false, value });
    }
    if (this.#state.kind === 'failed') return Promise.reject(this.#state.error);
    if (this.#state.kind !== 'open') return Promise.resolve({ done: true, value: undefined });
    if (this.#waiter !== undefined || this.#readable !== undefined) {
      return Promise.reject(new Error('an AsyncQueue has one consumer'));
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** The consumer leaves: what is buffered is discarded and producers are refused from now on. */
  return(): Promise<IteratorResult<T>> {
    if (this.#state.kind === 'open' || this.#state.kind === 'ended') {
      this.#state = { kind: 'left' };
      this.#clear();
      this.#waiter?.resolve({ done: true, value: undefined });
      this.#waiter = undefined;
      this.#wake(false);
      this.#onTake?.();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wake(readable: boolean): void {
    const wake = this.#readable;
    if (wake === undefined) return;
    this.#readable = undefined;
    wake(readable);
  }

  #clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }

  /** Taken slots keep their item alive until they are cut off: at the end of the queue at once, else in steps. */
  #compact(): void {
    if (this.#head === this.#items.length) this.#clear();
    else if (this.#head >= DEAD_SLOTS_MAX) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
