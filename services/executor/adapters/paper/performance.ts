import type { Decimal } from 'decimal.js';
import { Amount } from '../../domain/decimal.ts';
import { type AccountChange, balanceOf, ledgerEquity, type PaperAccount, type PaperPerformance } from './account.ts';

/** A ledger as it stands at the last prices. */
export interface Standing {
  readonly equity: Decimal;
  readonly balance: Decimal;
  readonly peak: Decimal;
  readonly drawdownPct: Decimal;
  readonly maxDrawdownPct: Decimal;
}

export function standingOf(account: PaperAccount, ledger: string): Standing {
  const equity = ledgerEquity(account, ledger);
  const balance = balanceOf(account, ledger);
  const before = account.performance.get(ledger);
  const peak = Amount.max(before?.peak ?? balance, equity);
  const drawdownPct = peak.gt(0) ? peak.minus(equity).div(peak).times(100) : new Amount(0);
  const maxDrawdownPct = Amount.max(before?.maxDrawdownPct ?? 0, drawdownPct);
  return { equity, balance, peak, drawdownPct, maxDrawdownPct };
}

/** The performance after a change of prices or positions; no change when it is as it was. `told` notes that it is reported. */
export function performanceChange(
  account: PaperAccount,
  ledger: string,
  { peak, maxDrawdownPct }: Standing,
  told: boolean,
): AccountChange | undefined {
  const before = account.performance.get(ledger);
  const after: PaperPerformance = {
    peak: peak.toString(),
    maxDrawdownPct: maxDrawdownPct.toString(),
    toldPct: told ? maxDrawdownPct.floor().toNumber() : (before?.toldPct ?? 0),
  };
  const same =
    before?.peak === after.peak && before.maxDrawdownPct === after.maxDrawdownPct && before.toldPct === after.toldPct;
  return same ? undefined : { collection: 'performance', key: ledger, value: after };
}

/** Whether the worst drawdown has grown by a full percent since it was last reported. */
export function isWorthTelling(account: PaperAccount, ledger: string, { maxDrawdownPct }: Standing): boolean {
  return maxDrawdownPct.floor().gt(account.performance.get(ledger)?.toldPct ?? 0);
}
