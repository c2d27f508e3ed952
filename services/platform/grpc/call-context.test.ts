import { expect, test } from 'vitest';
import { CallContext } from './call-context.ts';
import { EchoService, echo } from './echo-fixture.ts';
import { endpointsOf } from './endpoint.ts';

const [endpoint] = endpointsOf(EchoService, echo);

function context(pairs: readonly (readonly [string, string])[] = [], deadlineMs?: number): CallContext {
  if (endpoint === undefined) throw new Error('the echo service has no method');
  return new CallContext(endpoint, 'host:1', 'request-1', pairs, deadlineMs);
}

test('a header reads the same one by one and from all of them', () => {
  const call = context([
    ['x-one', 'a'],
    ['x-many', 'b'],
    ['x-many', 'c'],
    ['x-request-id', 'not this one!'],
  ]);
  for (const name of ['x-one', 'x-many', 'x-none']) expect(call.get(name)).toBe(call.requestHeader.get(name));
  expect(call.get('x-many')).toBe('b, c');
  expect(call.requestHeader.get('x-request-id')).toBe('request-1');
});

test('the request id goes back whether a handler looked at the headers or not', () => {
  const untouched = context();
  const touched = context();
  touched.responseHeader.set('x-answer', 'yes');
  expect([...untouched.responsePairs()]).toEqual([['x-request-id', 'request-1']]);
  expect([...touched.responsePairs()]).toEqual([
    ['x-answer', 'yes'],
    ['x-request-id', 'request-1'],
  ]);
  expect([...untouched.trailerPairs()]).toEqual([]);
  touched.responseTrailer.set('x-note', 'late');
  expect([...touched.trailerPairs()]).toEqual([['x-note', 'late']]);
});

test('the signal tells of the end, also one that is asked for afterwards, and of the first reason', () => {
  const waited = context();
  const { signal } = waited;
  expect(signal.aborted).toBe(false);
  waited.abort('first');
  waited.abort('second');
  expect(signal.reason).toBe('first');

  const late = context();
  late.abort('over');
  expect(late.signal.aborted).toBe(true);
  expect(late.signal.reason).toBe('over');
});

test('what is left of the time', () => {
  expect(context().timeoutMs()).toBeUndefined();
  const left = context([], Date.now() + 5_000).timeoutMs();
  expect(left).toBeGreaterThan(4_000);
  expect(left).toBeLessThanOrEqual(5_000);
});
