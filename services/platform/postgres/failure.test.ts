import { describe, expect, test } from 'vitest';
import { DatabaseError } from 'pg';
import { isConnectionFailure, isRefusal, isUnavailable, repeatedOnConflict, retryable } from './failure.ts';

function coded(code: string, message = 'failed'): Error {
  return Object.assign(new Error(message), { code });
}

describe('Postgres being away', () => {
  test.each([
    coded('ECONNREFUSED'),
    coded('ECONNRESET'),
    coded('EMFILE', 'connect EMFILE 127.0.0.1:5432'),
    coded('ENFILE'),
    coded('EADDRNOTAVAIL'),
    coded('ENOBUFS'),
    coded('57P01'),
    coded('57P02'),
    coded('57P03'),
    coded('08006'),
    coded('08P01'),
    coded('53300'),
    new Error('Connection terminated unexpectedly'),
    new Error('Connection terminated due to connection timeout'),
    new Error('timeout exceeded when trying to connect'),
    new Error('Query read timeout'),
    new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]),
  ])('is seen in %s', (error) => {
    expect([isConnectionFailure(error), isUnavailable(error), retryable(error)]).toEqual([true, true, true]);
  });

  test.each([
    coded('23505'),
    coded('42P01'),
    coded('25001'),
    coded('22P02'),
    new Error('boom'),
    'ECONNREFUSED',
    undefined,
  ])('is not seen in %s', (error) => {
    expect([isConnectionFailure(error), isUnavailable(error), retryable(error)]).toEqual([false, false, false]);
  });

  test.each([coded('40001'), coded('40P01')])('%s is worth repeating without being that', (error) => {
    expect([isConnectionFailure(error), isUnavailable(error), retryable(error)]).toEqual([false, false, true]);
  });

  test.each([
    ['25006', true],
    ['53100', true],
    ['53200', true],
    ['53400', true],
    ['55P03', false],
    ['57014', false],
    ['58030', false],
  ])('SQLSTATE %s says that the server cannot do it now and wrote nothing; that waiting helps: %s', (state, isAway) => {
    const error = Object.assign(new DatabaseError('not now', 0, 'error'), { code: state });
    expect([isConnectionFailure(error), isRefusal(error), isUnavailable(error)]).toEqual([false, true, true]);
    expect(retryable(error)).toBe(isAway);
  });
});

describe('a statement that loses a conflict', () => {
  test('is repeated until it wins', async () => {
    const outcomes = [coded('40P01'), coded('40001'), 'written'];
    const statement = async (): Promise<string> => {
      const outcome = outcomes.shift();
      if (typeof outcome !== 'string') throw outcome;
      return outcome;
    };
    expect(await repeatedOnConflict(statement)).toBe('written');
  });

  test('is given up when it never wins, and at once when something else is wrong', async () => {
    let tries = 0;
    const failing = (code: string) => async () => {
      tries += 1;
      throw coded(code);
    };
    await expect(repeatedOnConflict(failing('40P01'))).rejects.toThrow('failed');
    expect(tries).toBe(5);
    await expect(repeatedOnConflict(failing('22021'))).rejects.toThrow('failed');
    expect(tries).toBe(6);
  });
});
