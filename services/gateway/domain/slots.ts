/** Counts what is open by key and refuses more than `max` of each. A key without open slots takes no memory. */
export class Slots {
  readonly max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.max = max;
  }

  /** The function that gives the slot back, once however often it is called; undefined when all are taken. */
  acquire(key: string): (() => void) | undefined {
    const open = this.#open.get(key) ?? 0;
    if (open >= this.max) return undefined;
    this.#open.set(key, open + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    };
  }

  open(key: string): number {
    return this.#open.get(key) ?? 0;
  }
}
