import type { PoolClient } from 'pg';

/**
 * Gives a connection up when a statement has no answer after `msMax`: a network that swallows bytes is noticed by the kernel
 * after a quarter of an hour. What waits fails with what `isConnectionFailure` knows.
 *
 * node-postgres has `query_timeout` for it, and keeps its callback as a function literal that is assigned to a property. V8
 * makes those where full collections alone clean up, so every statement lived on with its parameters and its rows.
 */
export function watchAnswers(client: PoolClient, msMax: number): void {
  const query = client.query.bind(client);
  const giveUp = (): void => {
    client.connection.stream.destroy(new Error(`connection terminated: no answer within ${msMax} ms`));
  };
  const watched = (...given: readonly unknown[]): unknown => {
    const timer = setTimeout(giveUp, msMax);
    const over = (): void => clearTimeout(timer);
    const callback = given.at(-1);
    if (typeof callback === 'function') {
      const answered = (...answer: readonly unknown[]): void => {
        over();
        Reflect.apply(callback, undefined, answer);
      };
      return Reflect.apply(query, client, [...given.slice(0, -1), answered]);
    }
    const result: unknown = Reflect.apply(query, client, given);
    if (result instanceof Promise) result.then(over, over);
    else over();
    return result;
  };
  Object.defineProperty(client, 'query', { value: watched });
}
