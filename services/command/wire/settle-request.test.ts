import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  SettleCommandRequestSchema,
  SettledOutcome,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  ClosePositionSchema,
  OpenPositionSchema,
  PauseSchema,
  Side,
  StopSessionSchema,
} from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import { FieldChecks } from './field-checks.ts';
import { encodePayload, type KindValue, kindOf } from './payload.ts';
import { checkFillsOf, checkSettlement, wordOf } from './settle-request.ts';
import { readResult } from './stored-message.ts';

type Patch = Omit<MessageInitShape<typeof SettleCommandRequestSchema>, '$typeName'>;

const { HAPPENED, DID_NOT_HAPPEN } = SettledOutcome;
const FILL = { symbol: 'BTC_USDT', side: Side.BUY, quantity: '0.5', price: '20000' };

const OPEN: KindValue = {
  case: 'openPosition',
  value: create(OpenPositionSchema, { symbol: 'BTC_USDT', side: Side.BUY, quantity: '0.5' }),
};
const CLOSE: KindValue = { case: 'closePosition', value: create(ClosePositionSchema, { symbol: 'BTC_USDT' }) };
const STOP: KindValue = { case: 'stopSession', value: create(StopSessionSchema, { sessionId: 's' }) };
const PAUSE: KindValue = { case: 'pause', value: create(PauseSchema) };

function request(patch: Patch) {
  return create(SettleCommandRequestSchema, { id: sampleId(1), outcome: HAPPENED, note: 'order 77', ...patch });
}

function wrong(check: (checks: FieldChecks) => void): string[] {
  const checks = new FieldChecks();
  check(checks);
  return checks.violations.map(({ field, description }) => `${field}: ${description}`);
}

describe('a request to settle', () => {
  test.each<[string, Patch]>([
    ['an outcome and a note', {}],
    ['a note of 500 characters', { note: 'x'.repeat(500) }],
    ['fills', { fills: [FILL, { ...FILL, fee: '0', venueOrderId: '77', fillTime: { seconds: 1n, nanos: 0 } }] }],
    ['nothing dealt', { outcome: DID_NOT_HAPPEN }],
  ])('is sound with %s', (_, patch) => {
    expect(wrong((checks) => checkSettlement(request(patch), checks))).toEqual([]);
  });

  test.each<[string, Patch, string[]]>([
    ['no id', { id: '' }, ['id: is required']],
    ['no note', { note: '' }, ['note: is required']],
    ['too long a note', { note: 'x'.repeat(501) }, ['note: must have at most 500 characters, has 501']],
    ['a note of several lines', { note: 'seen\nnot seen' }, ['note: must consist of printable characters']],
    [
      'no outcome',
      { outcome: SettledOutcome.UNSPECIFIED },
      ['outcome: is required: one of SETTLED_OUTCOME_HAPPENED, SETTLED_OUTCOME_DID_NOT_HAPPEN'],
    ],
    [
      'fills of what did not happen',
      { outcome: DID_NOT_HAPPEN, fills: [FILL] },
      ['fills: must be empty for a command that did not happen'],
    ],
    [
      'too many fills',
      { fills: Array.from({ length: 101 }, () => FILL) },
      ['fills: must have at most 100 entries, has 101'],
    ],
    [
      'a fill of nothing',
      { fills: [FILL, { ...FILL, side: Side.UNSPECIFIED, quantity: '0', fee: '-1' }] },
      [
        'fills[1].side: is required: one of SIDE_BUY, SIDE_SELL',
        'fills[1].quantity: must be above zero, got "0"',
        'fills[1].fee: must be a decimal number such as "0.25", without sign or exponent, got "-1"',
      ],
    ],
    [
      'a fill of no time',
      { fills: [{ ...FILL, fillTime: { seconds: 1n, nanos: -1 } }] },
      ['fills[0].fill_time: is not a valid time since 1970'],
    ],
  ])('with %s is refused by the name of the field', (_, patch, expected) => {
    expect(wrong((checks) => checkSettlement(request(patch), checks))).toEqual(expected);
  });
});

describe('what a command is said to have dealt', () => {
  test.each<[string, KindValue, Patch, string[]]>([
    ['an entry that was filled', OPEN, { fills: [FILL] }, []],
    ['an entry that was not', OPEN, { outcome: DID_NOT_HAPPEN }, []],
    ['a close at a price that nobody knows', CLOSE, {}, []],
    ['a stop of several symbols', STOP, { fills: [FILL, { ...FILL, symbol: 'ETH_USDT' }] }, []],
    ['a pause', PAUSE, {}, []],
    [
      'an entry without its price',
      OPEN,
      {},
      ['fills: is required for an open_position that happened: quantity and price as the venue shows them'],
    ],
    [
      'an entry on the other side',
      OPEN,
      { fills: [{ ...FILL, side: Side.SELL }] },
      ['fills[0].side: must be SIDE_BUY: name the fills of this command alone, and not those of the other leg'],
    ],
    [
      'an entry that was filled twice',
      OPEN,
      { fills: [FILL, { ...FILL, quantity: '0.1' }] },
      ['fills: add up to 0.6, and 0.5 was ordered'],
    ],
    [
      'a close with both legs',
      CLOSE,
      { fills: [FILL, { ...FILL, side: Side.SELL }] },
      ['fills[1].side: must be SIDE_BUY: name the fills of this command alone, and not those of the other leg'],
    ],
    [
      'a close of another symbol',
      CLOSE,
      { fills: [FILL, { ...FILL, symbol: 'ETH_USDT' }] },
      ['fills[1].symbol: must be BTC_USDT, which the command is about'],
    ],
    ['a pause that dealt', PAUSE, { fills: [FILL] }, ['fills: must be empty: pause deals nothing at a venue']],
  ])('fits the command: %s', (_, kind, patch, expected) => {
    const command = sampleCommand({ kind: kindOf(kind.case), parameters: encodePayload(kind) });
    expect(wrong((checks) => checkFillsOf(command, request(patch), checks))).toEqual(expected);
  });

  test('is kept as a result that reads like one of an agent', () => {
    const word = wordOf(request({ fills: [{ ...FILL, fee: '1.5', venueOrderId: '77' }] }), 'alice');
    expect(word).toMatchObject({ happened: true, by: 'alice', note: 'order 77' });
    expect(readResult(word.result)?.fills).toMatchObject([{ ...FILL, fee: '1.5', venueOrderId: '77', pnl: '' }]);
    expect(wordOf(request({ outcome: DID_NOT_HAPPEN }), 'alice')).toMatchObject({ happened: false, result: null });
  });
});
