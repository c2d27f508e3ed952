import { IndexedHeap } from './indexed-heap.ts';
import { issuedBefore, type KeyNode, KeyTree, type Ordered } from './key-tree.ts';
import { type KeyPath, parseOrderingKey } from './ordering-key.ts';

/** A command as far as its place in the order is concerned. */
export interface Scheduled extends Ordered {
  /** Path of the ordering key; empty for none. */
  readonly orderingKey: string;
  /** Higher goes first where order leaves the choice. */
  readonly lane: number;
  /** Waits for nothing, not even for a free slot. */
  readonly overtakes: boolean;
}

interface Place<T extends Scheduled> {
  readonly node: KeyNode<T> | undefined;
  state: 'waiting' | 'running';
}

/**
 * Decides what may start. A command starts when nothing related runs and nothing related that was issued before it still
 * waits; related are keys that are equal or contain one another. Commands without a key wait for a free slot only, and
 * those that overtake for nothing. Every operation costs O(log n) in what waits, times the depth of the key.
 */
export class Schedule<T extends Scheduled> {
  readonly #tree = new KeyTree<T>();
  readonly #places = new Map<T, Place<T>>();
  /** Candidates; each is looked at again when it is taken, since a later arrival may have come before it. */
  readonly #ready = new IndexedHeap<T>(startsBefore);
  readonly #concurrencyMax: number;
  #running = 0;

  constructor(concurrencyMax: number) {
    this.#concurrencyMax = concurrencyMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#places.size - this.#running;
  }

  /** Adds a command that has not started. */
  add(item: T): void {
    const node = this.#nodeOf(item);
    this.#places.set(item, { node, state: 'waiting' });
    if (node !== undefined) this.#tree.enqueue(node, item);
    this.#offer(item, node);
  }

  /** Adds a command that was already running when the agent stopped: it holds its key from the first moment. */
  addRunning(item: T): void {
    const node = this.#nodeOf(item);
    this.#places.set(item, { node, state: 'running' });
    if (node !== undefined) this.#tree.countRunning(node, 1);
    this.#running += 1;
  }

  /** The next command to start, counted as running from now on; undefined when nothing may start. */
  take(): T | undefined {
    for (let item = this.#ready.peek(); item !== undefined; item = this.#ready.peek()) {
      if (this.#running >= this.#concurrencyMax && !item.overtakes) return undefined;
      this.#ready.pop();
      const place = this.#places.get(item);
      if (place === undefined || !this.#mayStart(item, place.node)) continue;
      place.state = 'running';
      this.#running += 1;
      if (place.node !== undefined) {
        this.#tree.dequeue(place.node, item);
        this.#tree.countRunning(place.node, 1);
      }
      return item;
    }
    return undefined;
  }

  /** Takes a command out, whether it waits or runs; what it was in front of may start now. */
  remove(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    this.#ready.delete(item);
    if (place.state === 'running') this.#running -= 1;
    const { node } = place;
    if (node === undefined) return;
    if (place.state === 'running') this.#tree.countRunning(node, -1);
    else this.#tree.dequeue(node, item);
    this.#wake(node);
    this.#tree.release(node);
  }

  /** Commands that have not started and whose key is `key` or lies inside it. */
  waitingWithin(key: KeyPath): T[] {
    const node = this.#tree.find(key);
    return node === undefined ? [] : this.#tree.waitingWithin(node);
  }

  #nodeOf(item: T): KeyNode<T> | undefined {
    const path = parseOrderingKey(item.orderingKey);
    return path === undefined ? undefined : this.#tree.node(path);
  }

  #offer(item: T, node: KeyNode<T> | undefined): void {
    if (this.#mayStart(item, node)) this.#ready.update(item);
  }

  #mayStart(item: T, node: KeyNode<T> | undefined): boolean {
    if (node === undefined || item.overtakes) return true;
    if (node.queue.peek() !== item || node.running > 0 || node.runningBelow > 0) return false;
    const inner = node.waitingChildren.peek()?.earliest;
    if (inner !== undefined && issuedBefore(inner, item)) return false;
    for (let outer = node.parent; outer !== undefined; outer = outer.parent) {
      const ahead = outer.queue.peek();
      if (outer.running > 0 || (ahead !== undefined && issuedBefore(ahead, item))) return false;
    }
    return true;
  }

  /** Offers what a command that left `node` may have held back: the heads around it, and those inside it. */
  #wake(node: KeyNode<T>): void {
    let bound: T | undefined;
    for (let outer: KeyNode<T> | undefined = node; outer !== undefined; outer = outer.parent) {
      const head = outer.queue.peek();
      if (head === undefined) continue;
      this.#offer(head, outer);
      if (bound === undefined || issuedBefore(head, bound)) bound = head;
    }
    this.#wakeInside(node, bound);
  }

  /** Offers the heads below `node` that nothing waiting at or above it (`bound`) comes before. */
  #wakeInside(node: KeyNode<T>, bound: T | undefined): void {
    if (node.running > 0) return;
    const open = node.waitingChildren.leading(
      (child) => child.earliest !== undefined && (bound === undefined || issuedBefore(child.earliest, bound)),
    );
    for (const child of open) {
      const head = child.queue.peek();
      if (head !== undefined) this.#offer(head, child);
      this.#wakeInside(child, head === undefined || (bound !== undefined && issuedBefore(bound, head)) ? bound : head);
    }
  }
}

/** Order among those that may start: overtaking first, then by lane, then as issued. */
function startsBefore(a: Scheduled, b: Scheduled): boolean {
  if (a.overtakes !== b.overtakes) return a.overtakes;
  if (a.lane !== b.lane) return a.lane > b.lane;
  return issuedBefore(a, b);
}
