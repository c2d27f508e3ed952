import { SlotMap } from '../../platform/slot-map.ts';
import type { Lane } from './command.ts';
import { EXECUTOR_KEY } from './ordering-key.ts';
import { SequenceSet } from './sequence-set.ts';

/** What the queue needs to know of an open command. */
export interface QueueItem {
  readonly id: string;
  readonly sequence: number;
  readonly orderingKey: string;
  readonly lane: Lane;
  /** Waits for nothing. */
  readonly overtakes: boolean;
}

interface KeyNode {
  readonly parent: KeyNode | undefined;
  readonly name: string;
  /** A key mostly has one key inside it, and a map is the largest part of a node. */
  children: KeyNode | SlotMap<string, KeyNode> | undefined;
  /** Open commands with exactly this key. */
  readonly own: SequenceSet;
  /** Open commands with this key or one inside it. */
  readonly within: SequenceSet;
}

interface Entry {
  readonly item: QueueItem;
  readonly node: KeyNode | undefined;
  waiting: boolean;
  /** Stands among the ready. */
  ready: boolean;
}

/** What goes first among the ready: what waits for nothing, then by lane. */
type Rank = Lane | 4;
const RANKS: readonly Rank[] = [4, 3, 2, 1];

/**
 * The open commands of one executor: which may be sent now, and what the others wait for.
 *
 * A command waits for every earlier open one whose key contains its own or lies inside it. Only the earliest of a node's own
 * commands can therefore be ready, and only a removal can make another one ready, so each change looks at the nodes above and
 * below its own and at nothing else. What overtakes goes first, then the higher lanes, each in order of
 * sequence.
 */
export class DispatchQueue {
  readonly #root: KeyNode = newNode(undefined, '');
  readonly #entries = new SlotMap<string, Entry>();
  readonly #bySequence = new SlotMap<number, Entry>();
  readonly #ready: Record<Rank, SequenceSet> = {
    1: new SequenceSet(),
    2: new SequenceSet(),
    3: new SequenceSet(),
    4: new SequenceSet(),
  };
  #readyCount = 0;
  /** Highest sequence that was ever added. */
  #newest = -1;

  get size(): number {
    return this.#entries.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Adds an open command; `waiting` is false for one that has already been sent. Adding it again changes nothing. */
  add(item: QueueItem, waiting: boolean): void {
    if (this.#entries.has(item.id)) return;
    const node = item.orderingKey === '' ? undefined : this.#nodeOf(item.orderingKey);
    const entry: Entry = { item, node, waiting, ready: false };
    this.#entries.set(item.id, entry);
    this.#bySequence.set(item.sequence, entry);
    if (item.sequence > this.#newest) this.#newest = item.sequence;
    else if (node !== undefined) this.#holdBackLater(node, item.sequence);
    node?.own.add(item.sequence);
    for (let at = node; at !== undefined; at = at.parent) at.within.add(item.sequence);
    this.#review(entry);
  }

  /** Takes a finished command out; those that waited for it may become ready. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#unready(entry);
    this.#entries.delete(id);
    this.#bySequence.delete(entry.item.sequence);
    const { node } = entry;
    if (node === undefined) return;
    node.own.remove(entry.item.sequence);
    for (let at: KeyNode | undefined = node; at !== undefined; at = at.parent) at.within.remove(entry.item.sequence);
    for (let at: KeyNode | undefined = node.parent; at !== undefined; at = at.parent) this.#reviewFirst(at);
    this.#reviewBelow(node);
    this.#prune(node);
  }

  /** Says that a command has been sent (false) or is to be sent again (true). */
  setWaiting(id: string, waiting: boolean): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.waiting === waiting) return;
    entry.waiting = waiting;
    if (waiting) this.#review(entry);
    else this.#unready(entry);
  }

  /** The id of the command to send next, or undefined when nothing may be sent. Stays until it is marked or removed. */
  next(): string | undefined {
    for (const rank of RANKS) {
      const sequence = this.#ready[rank].min();
      if (sequence !== undefined) return this.#bySequence.get(sequence)?.item.id;
    }
    return undefined;
  }

  get readyCount(): number {
    return this.#readyCount;
  }

  /** Ids of the earlier open commands that `id` waits for, oldest first, at most `max`. Empty when it waits for none. */
  blockersOf(id: string, max: number): string[] {
    const entry = this.#entries.get(id);
    if (entry?.node === undefined || entry.item.overtakes) return [];
    const { sequence } = entry.item;
    const earlier = entry.node.within.below(sequence, max);
    for (let at = entry.node.parent; at !== undefined; at = at.parent) earlier.push(...at.own.below(sequence, max));
    return earlier
      .toSorted((a, b) => a - b)
      .slice(0, max)
      .flatMap((blocking) => this.#bySequence.get(blocking)?.item.id ?? []);
  }

  /** What was issued earlier may be learnt later: related commands that were ready have to wait for it. */
  #holdBackLater(node: KeyNode, sequence: number): void {
    for (let at = node.parent; at !== undefined; at = at.parent) this.#holdBackFirst(at, sequence);
    const within = [node];
    for (let at = within.pop(); at !== undefined; at = within.pop()) {
      this.#holdBackFirst(at, sequence);
      within.push(...childrenOf(at));
    }
  }

  /** Of a node's own commands only the earliest can be ready, apart from those that overtake. */
  #holdBackFirst(node: KeyNode, sequence: number): void {
    const first = node.own.min();
    const entry = first === undefined || first < sequence ? undefined : this.#bySequence.get(first);
    if (entry !== undefined && !entry.item.overtakes) this.#unready(entry);
  }

  #review(entry: Entry): void {
    if (!entry.waiting || entry.ready || !isFirst(entry)) return;
    entry.ready = true;
    this.#readyCount += 1;
    this.#ready[rankOf(entry.item)].add(entry.item.sequence);
  }

  #unready(entry: Entry): void {
    if (!entry.ready) return;
    entry.ready = false;
    this.#readyCount -= 1;
    this.#ready[rankOf(entry.item)].remove(entry.item.sequence);
  }

  #reviewFirst(node: KeyNode): void {
    const first = node.own.min();
    const entry = first === undefined ? undefined : this.#bySequence.get(first);
    if (entry !== undefined) this.#review(entry);
  }

  #reviewBelow(node: KeyNode): void {
    this.#reviewFirst(node);
    for (const child of childrenOf(node)) this.#reviewBelow(child);
  }

  #nodeOf(key: string): KeyNode {
    let node = this.#root;
    if (key === EXECUTOR_KEY) return node;
    for (const name of key.slice(1).split('/')) {
      node = childOf(node, name) ?? newChild(node, name);
    }
    return node;
  }

  #prune(node: KeyNode): void {
    for (let at = node; at.parent !== undefined; at = at.parent) {
      if (at.within.min() !== undefined) break;
      removeChild(at.parent, at);
    }
  }
}

function rankOf({ overtakes, lane }: QueueItem): Rank {
  return overtakes ? 4 : lane;
}

function newNode(parent: KeyNode | undefined, name: string): KeyNode {
  return { parent, name, children: undefined, own: new SequenceSet(), within: new SequenceSet() };
}

const NO_NODES: readonly KeyNode[] = [];

function childrenOf({ children }: KeyNode): Iterable<KeyNode> {
  if (children === undefined) return NO_NODES;
  return children instanceof SlotMap ? children.values() : [children];
}

function childOf({ children }: KeyNode, name: string): KeyNode | undefined {
  if (children instanceof SlotMap) return children.get(name);
  return children?.name === name ? children : undefined;
}

function newChild(parent: KeyNode, name: string): KeyNode {
  const child = newNode(parent, name);
  const { children } = parent;
  if (children === undefined) parent.children = child;
  else if (children instanceof SlotMap) children.set(name, child);
  else {
    parent.children = new SlotMap();
    for (const each of [children, child]) parent.children.set(each.name, each);
  }
  return child;
}

function removeChild(parent: KeyNode, child: KeyNode): void {
  if (parent.children instanceof SlotMap) parent.children.delete(child.name);
  else parent.children = undefined;
}

function isFirst({ item, node }: Entry): boolean {
  if (node === undefined || item.overtakes) return true;
  if (node.within.min() !== item.sequence) return false;
  for (let at = node.parent; at !== undefined; at = at.parent) {
    const first = at.own.min();
    if (first !== undefined && first < item.sequence) return false;
  }
  return true;
}
