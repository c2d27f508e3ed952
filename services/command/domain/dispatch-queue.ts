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

/**
 * A key that open commands have, or that two of their keys lie in. A level without either has no node: mostly a command is the
 * only one of its session, and three nodes for it were a third of what the queue cost.
 */
interface KeyNode {
  parent: KeyNode | undefined;
  /** The names from the parent's key to this one, such as "s1/a". */
  path: string;
  /** By the first name of their paths. A key mostly has one key inside it, and a map is the largest part of a node. */
  children: KeyNode | SlotMap<string, KeyNode> | undefined;
  /** Open commands with exactly this key. */
  readonly own: SequenceSet;
  /** Open commands with this key or one inside it: `own` itself until there is one inside. */
  within: SequenceSet;
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
    for (let at = node; at !== undefined; at = at.parent) if (at.within !== at.own) at.within.add(item.sequence);
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
    for (let at: KeyNode | undefined = node; at !== undefined; at = at.parent) {
      if (at.within !== at.own) at.within.remove(entry.item.sequence);
    }
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
    for (let rest = key.slice(EXECUTOR_KEY.length); rest !== ''; ) {
      const child = childOf(node, firstName(rest));
      if (child === undefined) return newChild(node, rest);
      const shared = sharedLength(child.path, rest);
      node = shared === child.path.length ? child : newAbove(child, shared);
      rest = rest.slice(shared + 1);
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

function newNode(parent: KeyNode | undefined, path: string): KeyNode {
  const own = new SequenceSet();
  return { parent, path, children: undefined, own, within: own };
}

function firstName(path: string): string {
  const end = path.indexOf('/');
  return end < 0 ? path : path.slice(0, end);
}

/** How much of two paths with the same first name is the same, in whole names. */
function sharedLength(one: string, other: string): number {
  let shared = 0;
  for (let i = 0; ; i++) {
    const [oneEnds, otherEnds] = [i === one.length || one[i] === '/', i === other.length || other[i] === '/'];
    if (oneEnds && otherEnds) shared = i;
    if (i === one.length || i === other.length || one[i] !== other[i]) return shared;
  }
}

const NO_NODES: readonly KeyNode[] = [];

function childrenOf({ children }: KeyNode): Iterable<KeyNode> {
  if (children === undefined) return NO_NODES;
  return children instanceof SlotMap ? children.values() : [children];
}

function childOf({ children }: KeyNode, name: string): KeyNode | undefined {
  if (children instanceof SlotMap) return children.get(name);
  return children !== undefined && firstName(children.path) === name ? children : undefined;
}

function newChild(parent: KeyNode, path: string): KeyNode {
  const child = newNode(parent, path);
  const { children } = parent;
  if (parent.within === parent.own) parent.within = parent.own.copy();
  if (children === undefined) parent.children = child;
  else if (children instanceof SlotMap) children.set(firstName(path), child);
  else {
    parent.children = new SlotMap();
    for (const each of [children, child]) parent.children.set(firstName(each.path), each);
  }
  return child;
}

/** A node for the key that lies `length` into a node's path, between that and its parent. */
function newAbove(node: KeyNode, length: number): KeyNode {
  const above = newNode(node.parent, node.path.slice(0, length));
  above.within = node.within.copy();
  above.children = node;
  if (node.parent?.children instanceof SlotMap) node.parent.children.set(firstName(node.path), above);
  else if (node.parent !== undefined) node.parent.children = above;
  node.parent = above;
  node.path = node.path.slice(length + 1);
  return above;
}

function removeChild(parent: KeyNode, child: KeyNode): void {
  if (parent.children instanceof SlotMap) parent.children.delete(firstName(child.path));
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
