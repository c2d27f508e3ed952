import { randomUUID } from 'node:crypto';
import { isConnectionFailure } from '../../platform/postgres/failure.ts';

/** A statement under way that takes numbers of the account. */
export interface Flight {
  readonly writer: string;
  /** Everything up to this number was known when it was sent. */
  readonly known: number;
}

/** What a statement took, as it is stored. */
export interface Taken {
  /** The account's number before it. */
  readonly baseNumber: number;
  /** Numbers after this one are the writer's own, those of the statement included. */
  readonly runFrom: number;
  readonly count: number;
}

/**
 * How much of an account's numbers a ledger knows, while statements of its own overtake each other in Postgres.
 *
 * What it wrote itself it knows, so it only has to learn what lies before the unbroken run of its own numbers. Of a statement
 * whose answer was lost nobody can say whether it took numbers: the ledger then goes on as another writer, to whom what it
 * wrote until then is somebody else's, and looks at everything again from where it was when the statement was sent.
 */
export class AccountNumbers {
  readonly #learn: (afterNumber: number, throughNumber: number) => Promise<void>;
  readonly #failedToLearn: (thrown: unknown) => void;
  #writer: string = randomUUID();
  #known = -1;
  /** Where it began: streams have read by themselves what was before. */
  #first = -1;

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

  begin(): Flight {
    return { writer: this.#writer, known: this.#known };
  }

  /** The statement failed; when that says that it wrote nothing, nothing changes. */
  failed({ known }: Flight, thrown: unknown): void {
    if (!isConnectionFailure(thrown)) return;
    this.#writer = randomUUID();
    this.#known = Math.min(this.#known, Math.max(known, this.#first));
  }

  /** Accounts for what a statement took. */
  async took(flight: Flight, taken: Taken): Promise<void> {
    try {
      await this.learnThrough(this.#unseenThrough(flight, taken));
    } catch (thrown) {
      // The write itself stands. The known number stays behind, so the next look reads all of it again.
      this.#failedToLearn(thrown);
    }
    // A statement whose answer was lost meanwhile may have made it another number, and taken back what is known.
    if (this.#known < this.#unseenThrough(flight, taken)) return;
    this.#known = Math.max(this.#known, taken.baseNumber + taken.count);
  }

  /** Learns what was written up to this number. */
  async learnThrough(number: number): Promise<void> {
    const known = this.#known;
    if (number <= known) return;
    if (known < 0) this.#first = number;
    else await this.#learn(known, number);
    if (this.#known >= known) this.#known = Math.max(this.#known, number);
  }

  #unseenThrough({ writer }: Flight, { baseNumber, runFrom }: Taken): number {
    return writer === this.#writer ? runFrom : baseNumber;
  }
}
