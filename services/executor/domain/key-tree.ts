import { IndexedHeap } from './indexed-heap.ts';
import type { KeyPath } from './ordering-key.ts';

/** What the order of starts rests on. */
export interface Ordered {
  readonly id: string;
  /** Place in the account's history; the id decides between equals. */
  readonly sequence: number;
}

/** Issue order. */
export function issuedBefore(a: Ordered, b: Ordered): boolean {
  return a.sequence < b.sequence || (a.sequence === b.sequence && a.id < b.id);
}

/** One ordering key: what waits at it, what runs at it, and what is known of the keys inside it. */
export interface KeyNode<T extends Ordered> {
  readonly segment: string;
  readonly parent: KeyNode<T> | undefined;
  readonly children: Map<string, KeyNode<T>>;
  /** Children that hold something waiting, ordered by their earliest. */
  readonly waitingChildren: IndexedHeap<KeyNode<T>>;
  readonly queue: IndexedHeap<T>;
  running: number;
  runningBelow: number;
  /** The earliest that waits here or inside. */
  earliest: T | undefined;
}

function createNode<T extends Ordered>(segment: string, parent: KeyNode<T> | undefined): KeyNode<T> {
  return {
    segment,
    parent,
    children: new Map(),
    waitingChildren: new IndexedHeap<KeyNode<T>>(
      (a, b) => a.earliest !== undefined && b.earliest !== undefined && issuedBefore(a.earliest, b.earliest),
    ),
    queue: new IndexedHeap<T>(issuedBefore),
    running: 0,
    runningBelow: 0,
    earliest: undefined,
  };
}

/** Ordering keys in use, as a tree: every question about related keys is one about ancestors and descendants. */
export class KeyTree<T extends Ordered> {
  readonly root: KeyNode<T> = createNode<T>('', undefined);

  /** The node of a key, made when it is not there. */
  node(path: KeyPath): KeyNode<T> {
    let node = this.root;
    for (const segment of path) {
      let child = node.children.get(segment);
      if (child === undefined) {
        child = createNode(segment, node);
        node.children.set(segment, child);
      }
      node = child;
    }
    return node;
  }

  /** The node of a key, when it is in use. */
  find(path: KeyPath): KeyNode<T> | undefined {
    let node: KeyNode<T> | undefined = this.root;
    for (const segment of path) {
      node = node.children.get(segment);
      if (node === undefined) return undefined;
    }
    return node;
  }

  enqueue(node: KeyNode<T>, item: T): void {
    node.queue.update(item);
    this.#refresh(node);
  }

  dequeue(node: KeyNode<T>, item: T): void {
    node.queue.delete(item);
    this.#refresh(node);
  }

  /** Counts one more (`by` 1) or one less (`by` -1) as running at `node`. */
  countRunning(node: KeyNode<T>, by: 1 | -1): void {
    node.running += by;
    for (let outer = node.parent; outer !== undefined; outer = outer.parent) outer.runningBelow += by;
  }

  /** Forgets `node` and its ancestors as far as nothing waits or runs in them. */
  release(node: KeyNode<T>): void {
    let at = node;
    while (at.parent !== undefined && at.children.size === 0 && at.queue.size === 0 && at.running === 0) {
      at.parent.children.delete(at.segment);
      at = at.parent;
    }
  }

  /** Everything that waits at `node` or inside it, in no particular order. */
  waitingWithin(node: KeyNode<T>): T[] {
    const found: T[] = [];
    const open = [node];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      found.push(...at.queue.leading(() => true));
      open.push(...at.waitingChildren.leading(() => true));
    }
    return found;
  }

  /** Brings `earliest` up to date from `node` outwards, as far as it changes. */
  #refresh(node: KeyNode<T>): void {
    for (let at: KeyNode<T> | undefined = node; at !== undefined; at = at.parent) {
      const own = at.queue.peek();
      const inner = at.waitingChildren.peek()?.earliest;
      const earliest = own === undefined || (inner !== undefined && issuedBefore(inner, own)) ? inner : own;
      if (earliest === at.earliest) return;
      at.earliest = earliest;
      if (earliest === undefined) at.parent?.waitingChildren.delete(at);
      else at.parent?.waitingChildren.update(at);
    }
  }
}
