import type { Taken } from '../../services/command/delivery/account-numbers.ts';

/** The numbers of command.account, taken by the rule of COUNTER in `store/write-statements.ts`. */
export class AccountRow {
  eventNumber = 0;
  #runWriter = '';
  #runFrom = 0;

  take(writer: string, count: number): Taken {
    const baseNumber = this.eventNumber;
    this.eventNumber += count;
    if (this.#runWriter !== writer) this.#runFrom = baseNumber;
    this.#runWriter = writer;
    return { baseNumber, runFrom: this.#runFrom };
  }
}
