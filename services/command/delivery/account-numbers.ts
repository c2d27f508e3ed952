import { randomUUID } from 'node:crypto';
import { isRefusal } from '../../platform/postgres/failure.ts';

/** What a statement took, as it is stored. */
export interface Taken {
  /** The account's number before it. */
  readonly baseNumber: number;
  /** Numbers after this one are the writer's own, those of the statement included. */
  readonly runFrom: number;
}

/** A statement under way that takes numbers of the account. */
export class Flight {
  readonly writer: string;
  /** Everything up to this number was known when it was sent. */
  readonly known: number;
  /** Undefined until it is answered, null when it failed. */
  baseNumber: number | null | undefined;
  readonly answered = Promise.withResolvers<void>();
  readonly over = Promise.withResolvers<void>();

  constructor(writer: string, known: number) {
    this.writer = writer;
    this.known = known;
  }
}

/**
 * How much of an account's numbers a ledger knows, while two statements of its own are under way. Their answers are handled in
 * the order of their numbers, whichever comes first.
 *
 * What it wrote itself it knows, so it only has to learn what lies before the unbroken run of its own numbers, and that alone:
 * a command whose write is not answered yet cannot be told what others did to it. Of a statement that failed without a word
 * of the server nobody can say whether it took numbers: the ledger then goes on as another writer, to whom what it wrote until
 * then is somebody else's, and looks at everything again from where it was when the statement was sent.
 */
export class AccountNumbers {
  readonly #learn: (afterNumber: number, throughNumber: number) => Promise<void>;
  readonly #failedToLearn: (thrown: unknown) => void;
  /** Two at most. */
  #flights: readonly Flight[] = [];
  #writer: string = randomUUID();
  #known = -1;
  /** Where it began: streams have read by themselves what was before. */
  #first = -1;
  #learning: Promise<void> | undefined;

  /** `learn` reads what was written after one number and up to another, and tells the local streams. */
  constructor(
    learn: (afterNumber: number, throughNumber: number) => Promise<void>,
    failedToLearn: (thrown: unknown) => void,
  ) {
    this.#learn = learn;
    this.#failedToLearn = failedToLearn;
  }

  /** Everything up to this number is known to the local streams; -1 before the first look. */
  get known(): number {
    return this.#known;
  }

  /** Before a statement is sent. To be followed by `failed`, or by `took` and `over`. */
  async begin(): Promise<Flight> {
    while (this.#learning !== undefined) await this.#learning;
    const flight = new Flight(this.#writer, this.#known);
    this.#flights = [...this.#flights, flight];
    return flight;
  }

  /** The statement failed: unless the server said so, it may have been written. */
  failed(flight: Flight, thrown: unknown): void {
    if (!this.#flights.includes(flight)) return;
    if (!isRefusal(thrown)) {
      this.#writer = randomUUID();
      this.#known = Math.min(this.#known, Math.max(flight.known, this.#first));
    }
    flight.baseNumber = null;
    flight.answered.resolve();
    this.over(flight);
  }

  /**
   * Accounts for `count` numbers that the answered statement took, when what lies before them has been accounted for, or
   * learnt. If that cannot be learnt now, the known number stays behind.
   */
  async took(flight: Flight, taken: Taken, count: number): Promise<void> {
    flight.baseNumber = taken.baseNumber;
    flight.answered.resolve();
    if (taken.baseNumber > this.#known) await this.#handleBefore(flight);
    const isUnseen = (): boolean => this.#unseenThrough(flight, taken) > this.#known;
    const goOn = isUnseen() ? await this.#learnAlone(flight, () => this.#unseenThrough(flight, taken)) : undefined;
    if (!isUnseen()) this.#known = Math.max(this.#known, taken.baseNumber + count);
    goOn?.();
  }

  /** The answer has been handled. */
  over(flight: Flight): void {
    this.#flights = this.#flights.filter((other) => other !== flight);
    flight.over.resolve();
  }

  /** Learns what was written up to this number, while no statement is under way. */
  async learnThrough(number: number): Promise<void> {
    if (number <= this.#known) return;
    if (this.#known < 0) this.#first = number;
    else await this.#learn(this.#known, number);
    this.#known = number;
  }

  /** Gives what lets those begin that wait for it. */
  async #learnAlone(flight: Flight, through: () => number): Promise<() => void> {
    while (this.#learning !== undefined) await this.#learning;
    const learning = Promise.withResolvers<void>();
    this.#learning = learning.promise;
    try {
      // One that is sent from now on waits; one that is under way is heard first.
      await this.#handleBefore(flight);
      await this.learnThrough(through());
    } catch (thrown) {
      // The write itself stands. The known number stays behind, so the next look reads all of it again.
      this.#failedToLearn(thrown);
    }
    return () => {
      this.#learning = undefined;
      learning.resolve();
    };
  }

  /** Waits until no other statement is without an answer, and those with lower numbers have been handled. */
  async #handleBefore(flight: Flight): Promise<void> {
    // One that is sent later has higher numbers.
    const others = this.#flights.filter((other) => other !== flight);
    for (const other of others) {
      await other.answered.promise;
      if (isBefore(other, flight)) await other.over.promise;
    }
  }

  #unseenThrough({ writer }: Flight, { baseNumber, runFrom }: Taken): number {
    return writer === this.#writer ? runFrom : baseNumber;
  }
}

function isBefore({ baseNumber: one }: Flight, { baseNumber: other }: Flight): boolean {
  return typeof one === 'number' && typeof other === 'number' && one < other;
}
