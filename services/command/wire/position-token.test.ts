import { describe, expect, test } from 'vitest';
import { StatusError } from '../../platform/errors.ts';
import { decodeNumber, decodePosition, encodePosition, type PositionScope } from './position-token.ts';

const scope: PositionScope = { field: 'page_token', bound: ['ListCommands', 'main', null, ['PENDING']] };

function refusal(attempt: () => unknown): StatusError {
  try {
    attempt();
  } catch (thrown) {
    if (thrown instanceof StatusError) return thrown;
    throw thrown;
  }
  throw new Error('was not refused');
}

describe('a position', () => {
  test('comes back in its own scope, whatever it holds', () => {
    expect(decodeNumber(scope, encodePosition(scope, '42'))).toBe(42);
    expect(decodePosition(scope, encodePosition(scope, '2024-05-06 09:14:02.123456+00 é'))).toBe(
      '2024-05-06 09:14:02.123456+00 é',
    );
  });

  test.each<[string, PositionScope]>([
    ['of another account', { ...scope, bound: ['ListCommands', 'other', null, ['PENDING']] }],
    ['of other filters', { ...scope, bound: ['ListCommands', 'main', null, ['SENT']] }],
    ['of another RPC', { ...scope, bound: ['ListQuarantined', 'main', null, ['PENDING']] }],
    ['of another field', { ...scope, field: 'cursor' }],
  ])('%s is refused', (_, other) => {
    expect(refusal(() => decodePosition(scope, encodePosition(other, '42')))).toMatchObject({
      code: 'InvalidArgument',
      reason: 'CURSOR_INVALID',
      metadata: { field: 'page_token' },
      violations: [{ field: 'page_token', description: expect.stringContaining('other filters') }],
    });
  });

  test.each(['', 'x', '!!!', 'AAAA', 'a'.repeat(10_000)])('that is none is refused: %s', (token) => {
    expect(refusal(() => decodePosition(scope, token)).reason).toBe('CURSOR_INVALID');
  });

  test('that was changed is refused', () => {
    const token = encodePosition(scope, '42');
    const changed = `${token.slice(0, 5)}${token[5] === 'A' ? 'B' : 'A'}${token.slice(6)}`;
    expect(refusal(() => decodePosition(scope, changed)).reason).toBe('CURSOR_INVALID');
    expect(refusal(() => decodePosition(scope, `${token}=`)).reason).toBe('CURSOR_INVALID');
  });

  test.each(['-1', '1e3', '', ' 7', '99999999999999999', 'x'])(
    'that should be a number is refused as "%s"',
    (position) => {
      expect(refusal(() => decodeNumber(scope, encodePosition(scope, position))).reason).toBe('CURSOR_INVALID');
    },
  );
});
