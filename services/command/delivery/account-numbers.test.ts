import { setImmediate as settled } from 'node:timers/promises';
import * as fc from 'fast-check';
import { DatabaseError } from 'pg';
import { describe, expect, test } from 'vitest';
import { AccountRow } from '../../../test/harness/account-row.ts';
import { AccountNumbers, type Flight, type Taken } from './account-numbers.ts';

const GONE = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
const REFUSED = Object.assign(new DatabaseError('duplicate key', 0, 'error'), { code: '23505' });

/** A look at what others wrote that goes on until somebody ends it. */
interface Look {
  readonly after: number;
  readonly through: number;
  readonly end: PromiseWithResolvers<void>;
}

function scene() {
  const row = new AccountRow();
  row.takeWithoutRun(10);
  const looks: Look[] = [];
  const failures: unknown[] = [];
  const numbers = new AccountNumbers(
    (after, through) => {
      const end = Promise.withResolvers<void>();
      looks.push({ after, through, end });
      return end.promise;
    },
    (thrown) => failures.push(thrown),
  );
  return {
    row,
    numbers,
    failures,
    looks: () => looks.map(({ after, through }) => [after, through]),
    end: (): void => looks.at(-1)?.end.resolve(),
    fail: (thrown: unknown): void => looks.at(-1)?.end.reject(thrown),
    /** The statement takes so many numbers, and its answer is handled. */
    write: async (flight: Flight, count: number): Promise<void> => {
      await numbers.took(flight, row.take(flight.writer, count), count);
      numbers.over(flight);
    },
  };
}

async function begun() {
  const made = scene();
  await made.numbers.learnThrough(made.row.eventNumber);
  return made;
}

describe('what a ledger knows of an account with ten numbers', () => {
  test('the first look learns nothing: the streams have read by themselves what was before', async () => {
    const { row, numbers, looks } = scene();
    await numbers.learnThrough(row.eventNumber);
    expect([numbers.known, looks()]).toEqual([10, []]);
  });

  test('its own numbers are not learnt, and count in their order, whichever answer comes first', async () => {
    const { row, numbers, looks } = await begun();
    const [one, other] = [await numbers.begin(), await numbers.begin()];
    const first = row.take(one.writer, 3);
    const laterTook = numbers.took(other, row.take(other.writer, 2), 2);
    await settled();
    expect(numbers.known).toBe(10);
    await numbers.took(one, first, 3);
    await settled();
    expect(numbers.known).toBe(13);
    numbers.over(one);
    await laterTook;
    expect([numbers.known, looks()]).toEqual([15, []]);
  });

  test.each([
    { who: 'a stranger', take: (row: AccountRow) => void row.take('stranger', 4) },
    { who: 'a stranger who knows nothing of runs', take: (row: AccountRow) => row.takeWithoutRun(4) },
  ])('what $who wrote is learnt once, before later numbers of its own are known', async ({ take }) => {
    const { row, numbers, looks, end, write } = await begun();
    await write(await numbers.begin(), 1);
    take(row);
    const written = write(await numbers.begin(), 3);
    await settled();
    expect(numbers.known).toBe(11);
    end();
    await written;
    await write(await numbers.begin(), 2);
    expect([numbers.known, looks()]).toEqual([20, [[11, 15]]]);
  });

  test('what is under way is heard before a look, and what comes later waits for it', async () => {
    const { row, numbers, looks, end, write } = await begun();
    row.take('stranger', 4);
    const [one, other] = [await numbers.begin(), await numbers.begin()];
    const written = write(one, 3);
    await settled();
    expect(looks()).toEqual([]);
    numbers.failed(other, REFUSED);
    await settled();
    expect(looks()).toEqual([[10, 14]]);
    const later = numbers.begin();
    expect(await Promise.race([later, settled()])).toBeUndefined();
    end();
    await written;
    expect((await later).writer).toBe(one.writer);
  });

  test('a statement that the server refused changes nothing', async () => {
    const { numbers, looks, write } = await begun();
    const [refused, flight] = [await numbers.begin(), await numbers.begin()];
    numbers.failed(refused, REFUSED);
    await write(flight, 3);
    expect(await numbers.begin()).toMatchObject({ writer: flight.writer, known: 13 });
    expect(looks()).toEqual([]);
  });

  test.each([
    { how: 'of a connection that is gone', thrown: GONE },
    { how: 'of a server that shuts down', thrown: Object.assign(new DatabaseError('', 0, 'error'), { code: '57P01' }) },
    { how: 'of a failure that nobody has met before', thrown: new TypeError('cannot read the answer') },
  ])(
    'because $how it is another writer, who knows what was known at the start of that statement',
    async ({ thrown }) => {
      const { row, numbers, looks, end, write } = await begun();
      const [lost, flight] = [await numbers.begin(), await numbers.begin()];
      await write(flight, 2);
      expect(numbers.known).toBe(12);
      row.take(lost.writer, 3);
      numbers.failed(lost, thrown);
      expect(numbers.known).toBe(10);

      const next = await numbers.begin();
      expect(next.writer).not.toBe(lost.writer);
      const written = write(next, 1);
      await settled();
      end();
      await written;
      expect([numbers.known, looks()]).toEqual([16, [[10, 15]]]);
    },
  );

  test('a loss while it waits for its look makes that look longer', async () => {
    const { row, numbers, looks, end, write } = await begun();
    row.take('stranger', 4);
    const [lost, flight] = [await numbers.begin(), await numbers.begin()];
    row.take(lost.writer, 3);
    const written = write(flight, 2);
    await settled();
    expect(looks()).toEqual([]);
    numbers.failed(lost, GONE);
    await settled();
    end();
    await written;
    expect([numbers.known, looks()]).toEqual([19, [[10, 17]]]);
  });

  test('a failure of what was sent before the first look goes back to that look at most', async () => {
    const { row, numbers, write } = scene();
    const [one, other] = [await numbers.begin(), await numbers.begin()];
    await Promise.all([write(one, 2), numbers.took(other, row.take(other.writer, 3), 3)]);
    expect(numbers.known).toBe(15);
    numbers.failed(other, new TypeError('its answer cannot be handled'));
    expect(numbers.known).toBe(10);
  });

  test('what cannot be learnt is reported, and stays to be learnt', async () => {
    const { row, numbers, looks, failures, end, fail, write } = await begun();
    row.take('stranger', 4);
    const written = write(await numbers.begin(), 3);
    await settled();
    fail(REFUSED);
    await written;
    expect([numbers.known, failures]).toEqual([10, [REFUSED]]);
    const looked = numbers.learnThrough(row.eventNumber);
    end();
    await looked;
    expect([numbers.known, looks().at(-1)]).toEqual([17, [10, 17]]);
  });
});

const LANES = ['insert', 'change'] as const;
type Lane = (typeof LANES)[number];

interface Statement {
  readonly count: number;
  flight?: Flight;
  /** The moment, which is how much has happened so far. */
  sentAt?: number;
  taken?: Taken;
  answered: boolean;
  lostAt?: number;
}

/** A ledger with a statement in each lane at most, a stranger, and the account's row between them. */
class World {
  readonly #row = new AccountRow();
  readonly #numbers = new AccountNumbers(
    (after, through) => this.#learn(after, through),
    (thrown) => this.#note(thrown),
  );
  readonly #lanes = new Map<Lane, Statement>();
  /** Their answer was lost before they came to the row, where they still come. */
  readonly #adrift: Statement[] = [];
  /** Who took each number; undefined: a stranger. Nobody took 0. */
  readonly #owners: (Statement | undefined)[] = [undefined];
  readonly #looks: Look[] = [];
  readonly #learnt = new Set<number>();
  readonly #oddities: unknown[] = [];
  /** Committed before the first look. */
  #readByStreams = 0;
  #syncing = false;
  #moment = 0;

  async perform({ type, lane, count }: Operation): Promise<void> {
    this.#moment += 1;
    this[type](lane, count);
    this.#check();
    await settled();
    this.#check();
  }

  send(lane: Lane, count: number): void {
    if (this.#lanes.has(lane) || this.#syncing) return;
    const statement: Statement = { count, answered: false };
    this.#lanes.set(lane, statement);
    void this.#send(statement);
  }

  commit(lane: Lane): void {
    const statement = this.#lanes.get(lane);
    if (statement?.flight !== undefined && statement.taken === undefined) this.#commit(statement, statement.flight);
  }

  answer(lane: Lane): void {
    const statement = this.#lanes.get(lane);
    if (statement?.taken === undefined || statement.flight === undefined || statement.answered) return;
    statement.answered = true;
    void this.#handle(lane, statement.flight, statement.taken, statement.count);
  }

  lose(lane: Lane): void {
    const statement = this.#lanes.get(lane);
    if (statement?.flight === undefined || statement.answered) return;
    statement.lostAt = this.#moment;
    if (statement.taken === undefined) this.#adrift.push(statement);
    this.#lanes.delete(lane);
    this.#numbers.failed(statement.flight, GONE);
  }

  refuse(lane: Lane): void {
    const statement = this.#lanes.get(lane);
    if (statement?.flight === undefined || statement.taken !== undefined) return;
    this.#lanes.delete(lane);
    this.#numbers.failed(statement.flight, REFUSED);
  }

  arrive(): void {
    const statement = this.#adrift.shift();
    if (statement?.flight !== undefined) this.#commit(statement, statement.flight);
  }

  stranger(lane: Lane, count: number): void {
    if (lane === 'insert') this.#row.take('stranger', count);
    else this.#row.takeWithoutRun(count);
    this.#owners.push(...Array.from({ length: count }, () => undefined));
  }

  sync(): void {
    if (this.#lanes.size > 0 || this.#syncing) return;
    this.#beginAt(this.#row.eventNumber);
    this.#syncing = true;
    this.#numbers
      .learnThrough(this.#row.eventNumber)
      .catch((thrown: unknown) => this.#note(thrown))
      .finally(() => (this.#syncing = false));
  }

  learn(): void {
    const look = this.#looks.shift();
    if (look === undefined) return;
    for (let number = look.after + 1; number <= look.through; number++) this.#learnt.add(number);
    look.end.resolve();
  }

  failToLearn(): void {
    this.#looks.shift()?.end.reject(GONE);
  }

  /** Everything under way comes to its end, and the ledger looks once more. */
  async rest(): Promise<void> {
    const step = (type: Operation['type'], lane: Lane): Promise<void> => this.perform({ type, lane, count: 1 });
    while (this.#adrift.length > 0) await step('arrive', 'insert');
    for (let round = 0; round < REST_ROUNDS_MAX; round++) {
      for (const lane of LANES) for (const type of ['commit', 'answer', 'learn'] as const) await step(type, lane);
    }
    expect([...this.#lanes.keys()]).toEqual([]);
    for (const type of ['sync', 'learn'] as const) await step(type, 'insert');
    expect(this.#numbers.known).toBe(this.#row.eventNumber);
  }

  #learn(after: number, through: number): Promise<void> {
    if (through > this.#row.eventNumber) this.#note(`looks at what is not there: ${through}`);
    const end = Promise.withResolvers<void>();
    this.#looks.push({ after, through, end });
    return end.promise;
  }

  async #send(statement: Statement): Promise<void> {
    statement.flight = await this.#numbers.begin();
    statement.sentAt = this.#moment;
  }

  #commit(statement: Statement, { writer, known }: Flight): void {
    const taken = this.#row.take(writer, statement.count);
    statement.taken = taken;
    this.#owners.push(...Array.from({ length: statement.count }, () => statement));
    // This is where an insert is stored as SENT.
    if (taken.runFrom <= known) expect(this.#unaccounted(taken.baseNumber, statement.sentAt ?? 0)).toEqual([]);
  }

  async #handle(lane: Lane, flight: Flight, taken: Taken, count: number): Promise<void> {
    this.#beginAt(taken.baseNumber);
    await this.#numbers.took(flight, taken, count);
    const bases = [...this.#lanes.values()].map((other) => other.taken?.baseNumber ?? Infinity);
    if (Math.min(...bases) < taken.baseNumber) this.#note(`the ${lane} lane is handled before lower numbers`);
    this.#numbers.over(flight);
    this.#lanes.delete(lane);
  }

  #beginAt(number: number): void {
    if (this.#numbers.known < 0) this.#readByStreams = number;
  }

  #note(thrown: unknown): void {
    if (thrown !== GONE) this.#oddities.push(thrown);
  }

  #check(): void {
    // A command whose write is not answered yet cannot be told what others did to it.
    const unheard = [...this.#lanes.values()].some(({ flight, answered }) => flight !== undefined && !answered);
    if (this.#looks.length > 0) expect([this.#looks.length, unheard]).toEqual([1, false]);
    expect(this.#oddities).toEqual([]);
    expect(this.#unaccounted(this.#numbers.known, this.#moment)).toEqual([]);
  }

  /** Numbers that the streams cannot have heard of: a stranger's, and ours when their answer was lost by that moment. */
  #unaccounted(through: number, moment: number): number[] {
    const numbers = Array.from({ length: Math.max(0, through) }, (_, i) => i + 1);
    return numbers.filter((number) => {
      if (number <= this.#readByStreams || this.#learnt.has(number)) return false;
      const owner = this.#owners[number];
      return owner === undefined || (owner.lostAt ?? Infinity) <= moment;
    });
  }
}

const operation = fc.record({
  type: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('send', 'commit', 'answer') },
    { weight: 2, arbitrary: fc.constantFrom('learn', 'lose', 'stranger') },
    { weight: 1, arbitrary: fc.constantFrom('sync', 'refuse', 'arrive', 'failToLearn') },
  ),
  lane: fc.constantFrom(...LANES),
  count: fc.integer({ min: 1, max: 3 }),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** So often each lane is served at the end: each of two statements may have had to wait for the other, and for a look. */
const REST_ROUNDS_MAX = 6;

test('in whatever order statements get to the row and their answers come or are lost, nothing stays unknown', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (path) => {
      const world = new World();
      for (const step of path) await world.perform(step);
      await world.rest();
    }),
    { numRuns: 2_000 },
  );
}, 60_000);
