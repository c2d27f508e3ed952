import type { Taken } from '../../services/command/delivery/account-numbers.ts';

/** The numbers of command.account, taken by the rule of COUNTER in `store/write-statements.ts`. */
export class AccountRow {
  eventNumber = 0;
  #runWriter = '';
  #runFrom = 0;
  #runTo = 0;

  take(writer: string, count: number): Taken {
    const baseNumber = this.eventNumber;
    this.eventNumber += count;
    if (this.#runWriter !== writer || this.#runTo !== baseNumber) this.#runFrom = baseNumber;
    this.#runWriter = writer;
    this.#runTo = this.eventNumber;
    return { baseNumber, runFrom: this.#runFrom };
  }

  /** As those do who know nothing of runs: older releases, and whoever sets rows aside. */
  takeWithoutRun(count: number): void {
    this.eventNumber += count;
  }
}
