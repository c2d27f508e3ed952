import { Pool } from 'pg';
import { expect, test } from 'vitest';
import { createLogger } from '../../platform/logger.ts';
import { commandRetention } from './retention.ts';

test('what cannot be removed of one account keeps nothing else from being removed', async () => {
  const asked: string[] = [];
  const query = ({ name, values = [] }: { readonly name: string; readonly values?: readonly unknown[] }) => {
    if (name === 'oldest_kept') return Promise.resolve({ rows: [{ ms: 1_700_000_000_000 }] });
    if (values.length === 0) return Promise.resolve({ rows: [{ id: 'first' }, { id: 'second' }] });
    asked.push(String(values[0]));
    return Promise.reject(new Error('the statement is cancelled'));
  };
  const pool = Object.assign(new Pool(), { query });
  const logger = createLogger('test', 'silent');
  await commandRetention(pool, logger, 30).removeOld();
  expect(asked).toEqual([...Array.from({ length: 4 }, () => 'first'), ...Array.from({ length: 4 }, () => 'second')]);
});
