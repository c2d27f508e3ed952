import { expect, test } from 'vitest';
import { BacktestVenue } from './backtest-venue.ts';

const START_MS = Date.UTC(2024, 0, 1);

test("a position with all the leverage that a strategy may ask for is opened, and its liquidation is the venue's", () => {
  const costs = { feePercent: '', spreadPercent: '', slippagePercent: '' };
  const venue = new BacktestVenue({ symbol: 'X', initialBalance: '1000', costs });
  const order = { quantity: '10', stopLossPrice: '', takeProfitPrice: '', leverage: '125', margin: '8' };
  const opened = venue.open({ instanceId: 'i', order, price: '100', timeMs: START_MS });
  expect(opened).not.toHaveProperty('rejected');
  const price = { price: '99', amount: '1', side: '', priceNumber: 99, amountNumber: 1 } as const;
  const closes = venue.meet({ kind: 'trade', timeMs: START_MS + 1, ...price });
  expect(closes).toMatchObject([{ instanceId: 'i', section: 'venue' }]);
});
