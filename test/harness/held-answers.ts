import type { Pool, QueryConfig, QueryResult } from 'pg';
import { until } from './until.ts';

/** The answer of one statement: the database has given it when `stored` resolves, and who asked gets it when a test says so. */
export class HeldAnswer {
  readonly #stored = Promise.withResolvers<void>();
  readonly #given = Promise.withResolvers<void>();

  get stored(): Promise<void> {
    return this.#stored.promise;
  }

  give(): void {
    this.#given.resolve();
  }

  /** Who asked learns this, and not that the statement was executed. */
  lose(error: Error): void {
    this.#given.reject(error);
  }

  async pass(): Promise<void> {
    this.#stored.resolve();
    await this.#given.promise;
  }
}

/** A pool whose statements are executed as ever, and whose answers can be held back by the name of their statement. */
export class HeldAnswers {
  readonly pool: Pool;
  readonly #real: Pool;
  readonly #all: HeldAnswer[] = [];
  readonly #next = new Map<string, HeldAnswer>();
  readonly #answered = new Set<string>();
  #underWay = 0;

  constructor(real: Pool) {
    this.#real = real;
    const query = (statement: QueryConfig): Promise<QueryResult> => this.#query(statement);
    this.pool = new Proxy(real, {
      get: (target, name) => (name === 'query' ? query : Reflect.get(target, name, target)),
    });
  }

  /** Holds the answer of the next statement of this name. */
  hold(name: string): HeldAnswer {
    const held = new HeldAnswer();
    this.#all.push(held);
    this.#next.set(name, held);
    return held;
  }

  /** Resolves when a statement of this name was answered, and what was asked because of that as well, but for what is held. */
  handled(name: string): Promise<true> {
    return until(() => this.#answered.has(name) && this.#underWay === 0, `${name} is answered, and nothing else asked`);
  }

  /** Gives what is still held. */
  giveAll(): void {
    for (const held of this.#all) held.give();
  }

  async #query(statement: QueryConfig): Promise<QueryResult> {
    const name = statement.name ?? '';
    const held = this.#next.get(name);
    this.#next.delete(name);
    this.#underWay += 1;
    let answer: QueryResult;
    try {
      answer = await this.#real.query(statement);
    } finally {
      this.#underWay -= 1;
    }
    await held?.pass();
    this.#answered.add(name);
    return answer;
  }
}
