import { describe, expect, test } from 'vitest';
import { SessionMode, Side } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { CliError, EXIT } from '../terminal/errors.ts';
import { KIND_NAMES, kindName, parseKind } from './kind.ts';

function refusal(kind: string, json?: string): CliError {
  try {
    parseKind(kind, json);
  } catch (thrown) {
    if (thrown instanceof CliError) return thrown;
    throw thrown;
  }
  throw new Error('was not refused');
}

describe('kinds', () => {
  test.each(['open_position', 'open-position', 'OpenPosition', 'openPosition', 'OPEN_POSITION'])('%s', (text) => {
    expect(kindName(text)).toBe('open_position');
  });

  test('every kind of the protocol has a name', () => {
    expect(KIND_NAMES).toHaveLength(12);
    for (const name of KIND_NAMES) expect(parseKind(name, '{}').case).toBeDefined();
  });

  test('an unknown kind is a usage error that lists the known ones', () => {
    const error = refusal('opn_position');
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message).toMatch(/no kind "opn_position".*open_position.*ping/);
  });

  test.each(['{"session_id": "s-1", "stop_loss_price": "41000"}', '{"sessionId": "s-1", "stopLossPrice": "41000"}'])(
    'fields in snake_case and camelCase: %s',
    (json) => {
      const kind = parseKind('open_position', json);
      expect(kind).toMatchObject({ case: 'openPosition', value: { sessionId: 's-1', stopLossPrice: '41000' } });
    },
  );

  test.each(['buy', 'BUY', 'SIDE_BUY'])('an enum value written as %s', (side) => {
    expect(parseKind('open_position', JSON.stringify({ side }))).toMatchObject({ value: { side: Side.BUY } });
  });

  test('enum values of other fields', () => {
    expect(parseKind('start_session', '{"mode": "paper"}')).toMatchObject({ value: { mode: SessionMode.PAPER } });
  });

  test('without JSON the message is empty', () => {
    expect(parseKind('ping', undefined)).toMatchObject({ case: 'ping', value: { payload: '' } });
  });

  test('an unknown field is named, with the known ones', () => {
    expect(refusal('open_position', '{"quantty": "1"}').message).toMatch(
      /^open_position\.quantty: unknown field; OpenPosition has session_id, .*quantity/,
    );
    expect(refusal('get_status', '{"x": 1}').message).toBe('get_status.x: unknown field; GetStatus has no fields');
  });

  test.each([
    ['{"quantity": 1}', /quantity/],
    ['{"side": "sideways"}', /side/],
    ['{"side": ', /cannot be read/],
    ['[]', /must be an object/],
    ['null', /must be an object/],
  ])('%s is refused by name', (json, message) => {
    const error = refusal('open_position', json);
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message).toMatch(message);
  });
});
