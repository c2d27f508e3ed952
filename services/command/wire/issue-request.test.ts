import { create, fromBinary, fromJson, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, test } from 'vitest';
import { Lane, PreconditionsSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { IssueCommandRequestSchema } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  OpenPositionSchema,
  SessionMode,
  Side,
  StartSessionSchema,
} from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { orderOf, parseIssueRequest } from './issue-request.ts';
import { readPayload } from './payload.ts';

const NOW_MS = Date.UTC(2024, 4, 6, 9, 14, 2);

type Init = Exclude<MessageInitShape<typeof IssueCommandRequestSchema>, { readonly $typeName: string }>;

/** Enum values of a newer release: proto JSON takes any number. */
const STRANGE_LANE = fromJson(IssueCommandRequestSchema, { lane: 9 }).lane;
const STRANGE_SIDE = fromJson(OpenPositionSchema, { side: 7 }).side;
const STRANGE_POLICY = fromJson(StartSessionSchema, { disconnectPolicy: 9 }).disconnectPolicy;
const STRANGE_STATE = fromJson(PreconditionsSchema, { sessionState: 8 }).sessionState;

const open: NonNullable<Init['kind']> = {
  case: 'openPosition',
  value: { sessionId: 's1', strategyId: 'pump', symbol: 'BTC/USD', side: Side.BUY, quantity: '0.25' },
};

function parse(init: Init) {
  return parseIssueRequest(create(IssueCommandRequestSchema, { executor: 'vps-1', kind: open, ...init }), NOW_MS);
}

function violations(init: Init): string[] {
  const parsed = parse(init);
  return parsed.type === 'wish' ? [] : parsed.violations.map(({ field, description }) => `${field}: ${description}`);
}

function wish(init: Init) {
  const parsed = parse(init);
  if (parsed.type !== 'wish') throw new Error(JSON.stringify(parsed.violations));
  return parsed.wish;
}

function at(ms: number): NonNullable<Init['notAfter']> {
  return { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
}

describe('a request becomes a wish', () => {
  test('with defaults left open', () => {
    expect(wish({})).toMatchObject({
      executor: 'vps-1',
      kind: 'open_position',
      orderingKey: '/s1/pump/BTC%2FUSD',
      requestId: null,
      preconditions: null,
      lane: null,
      attemptsMax: null,
      notAfterMs: null,
      spans: {},
    });
  });

  test('with everything that was asked, in milliseconds', () => {
    const asked = wish({
      requestId: 'r-1',
      lane: Lane.HIGH,
      attemptsMax: 10,
      notAfter: at(NOW_MS + 1),
      preconditions: { strategyRevision: 7n, priceBand: { minPrice: '1', maxPrice: '1.5' } },
      deadlines: {
        deliverWithin: { seconds: 60n, nanos: 0 },
        receiveWithin: { seconds: 0n, nanos: 1 },
        startWithin: {},
      },
    });
    expect(asked).toMatchObject({ requestId: 'r-1', lane: 2, attemptsMax: 10, notAfterMs: NOW_MS + 1 });
    expect(asked.spans).toEqual({ deliverWithinMs: 60_000, receiveWithinMs: 1 });
    expect(asked.preconditions).not.toBeNull();
    const payload = readPayload(asked.kind, asked.parameters);
    expect(payload).toMatchObject({ type: 'payload', kind: { case: 'openPosition', value: { quantity: '0.25' } } });
  });

  test('where preconditions that ask nothing are none', () => {
    expect(wish({ preconditions: {} }).preconditions).toBeNull();
  });

  test.each<[string, NonNullable<Init['kind']>, string]>([
    ['ping', { case: 'ping', value: { payload: 'x'.repeat(256) } }, ''],
    ['get_status', { case: 'getStatus', value: {} }, ''],
    ['stop_all', { case: 'stopAll', value: { closePositions: true } }, '/'],
    ['pause', { case: 'pause', value: {} }, '/'],
    ['resume', { case: 'resume', value: { sessionId: 's1' } }, '/s1'],
    ['start_session', { case: 'startSession', value: { sessionId: 's1', mode: SessionMode.PAPER } }, '/s1'],
    ['stop_session', { case: 'stopSession', value: { sessionId: 'a/b' } }, '/a%2Fb'],
    ['start_strategy', { case: 'startStrategy', value: { sessionId: 's', strategyId: 't', symbol: 'X' } }, '/s/t/X'],
    ['stop_strategy', { case: 'stopStrategy', value: { sessionId: 's', strategyId: 't', symbol: 'X' } }, '/s/t/X'],
    ['close_position', { case: 'closePosition', value: { symbol: 'X' } }, '/'],
    ['cancel_orders', { case: 'cancelOrders', value: { sessionId: 's', symbol: 'X' } }, '/s'],
  ])('%s with its ordering key', (kind, value, orderingKey) => {
    expect(wish({ kind: value })).toMatchObject({ kind, orderingKey });
  });
});

describe('a request is refused', () => {
  const instance = { sessionId: 's', strategyId: 't', symbol: 'X' };
  test.each<[string, Init, string[]]>([
    ['no executor', { executor: '' }, ['executor: is required']],
    ['an endless executor', { executor: 'x'.repeat(129) }, ['executor: must have at most 128 characters, has 129']],
    ['NUL in the executor', { executor: 'a\0b' }, ['executor: must consist of printable characters']],
    ['blanks round a name', { executor: ' a' }, ['executor: must not begin or end with a blank']],
    [
      'no kind',
      { kind: { case: undefined } },
      [expect.stringMatching(/^kind: is required: exactly one of start_strategy, /)],
    ],
    ['a request_id in Greek', { requestId: 'αβγ' }, ['request_id: must be 1 to 128 printable ASCII characters']],
    [
      'an endless request_id',
      { requestId: 'x'.repeat(129) },
      ['request_id: must be 1 to 128 printable ASCII characters'],
    ],
    ['an unknown lane', { lane: STRANGE_LANE }, ['lane: 9 is not a value of strategos.command.v1.Lane']],
    ['too many attempts', { attemptsMax: 11 }, ['attempts_max: must be between 0 and 10, got 11']],
    ['negative attempts', { attemptsMax: -1 }, ['attempts_max: must be between 0 and 10, got -1']],
    [
      'a negative span',
      { deadlines: { finishWithin: { seconds: -1n, nanos: 0 } } },
      ['deadlines.finish_within: must not be negative'],
    ],
    [
      'an endless span',
      { deadlines: { deliverWithin: { seconds: 604_801n, nanos: 0 } } },
      ['deadlines.deliver_within: must be at most 604800s, is 604801s'],
    ],
    [
      'a span of mixed signs',
      { deadlines: { startWithin: { seconds: 1n, nanos: -1 } } },
      [expect.stringMatching(/^deadlines\.start_within: is not a valid duration/)],
    ],
    [
      'a span of overflowing seconds',
      { deadlines: { startWithin: { seconds: 2n ** 62n, nanos: 0 } } },
      [expect.stringMatching(/^deadlines\.start_within: is not a valid duration/)],
    ],
    [
      'progress of a kind that reports none',
      { deadlines: { progressWithin: { seconds: 5n, nanos: 0 } } },
      ['deadlines.progress_within: must be left out: open_position reports no progress'],
    ],
    [
      'a not_after in the past',
      { notAfter: at(NOW_MS) },
      ['not_after: must be in the future, is 2024-05-06T09:14:02.000Z'],
    ],
    [
      'a not_after next year',
      { notAfter: at(NOW_MS + 365 * 86_400_000) },
      ['not_after: must be within the next 30 days'],
    ],
    ['a broken not_after', { notAfter: { seconds: 1n, nanos: -1 } }, ['not_after: is not a valid timestamp']],
    [
      'an empty price band',
      { preconditions: { priceBand: {} } },
      ['preconditions.price_band: needs min_price or max_price'],
    ],
    [
      'a price band upside down',
      { preconditions: { priceBand: { minPrice: '10', maxPrice: '9.99' } } },
      ['preconditions.price_band: min_price must not be above max_price'],
    ],
    [
      'an unknown session state and a negative revision',
      { preconditions: { sessionState: STRANGE_STATE, strategyRevision: -1n } },
      [
        'preconditions.session_state: 8 is not a value of strategos.command.v1.Preconditions.SessionState',
        'preconditions.strategy_revision: must be between 0 and 9007199254740991, got -1',
      ],
    ],
    [
      'an empty open_position',
      { kind: { case: 'openPosition', value: {} } },
      [
        'open_position.symbol: is required',
        'open_position.side: is required: one of SIDE_BUY, SIDE_SELL',
        'open_position.quantity: is required: a decimal number such as "0.25"',
      ],
    ],
    [
      'a quantity of nothing',
      { kind: { case: 'openPosition', value: { symbol: 'X', side: Side.BUY, quantity: '0.00' } } },
      ['open_position.quantity: must be above zero, got "0.00"'],
    ],
    [
      'numbers that are none',
      {
        kind: {
          case: 'openPosition',
          value: {
            symbol: 'X',
            side: STRANGE_SIDE,
            quantity: '1e9',
            referencePrice: '-1',
            stopLossPrice: '.5',
            leverage: '1'.repeat(39),
          },
        },
      },
      [
        'open_position.side: 7 is not a value of strategos.command.v1.Side',
        'open_position.quantity: must be a decimal number such as "0.25", without sign or exponent, got "1e9"',
        'open_position.reference_price: must be a decimal number such as "0.25", without sign or exponent, got "-1"',
        'open_position.stop_loss_price: must be a decimal number such as "0.25", without sign or exponent, got ".5"',
        'open_position.leverage: must have at most 38 digits',
      ],
    ],
    [
      'a close_position of nothing',
      { kind: { case: 'closePosition', value: {} } },
      ['close_position.symbol: is required'],
    ],
    [
      'an empty start_strategy',
      { kind: { case: 'startStrategy', value: {} } },
      ['session_id', 'strategy_id', 'symbol'].map((field) => `start_strategy.${field}: is required`),
    ],
    [
      'an empty stop_strategy',
      { kind: { case: 'stopStrategy', value: {} } },
      ['session_id', 'strategy_id', 'symbol'].map((field) => `stop_strategy.${field}: is required`),
    ],
    [
      'a negative revision',
      { kind: { case: 'startStrategy', value: { ...instance, strategyRevision: -5n } } },
      ['start_strategy.strategy_revision: must be between 0 and 9007199254740991, got -5'],
    ],
    [
      'an empty start_session',
      { kind: { case: 'startSession', value: {} } },
      [
        'start_session.session_id: is required',
        'start_session.mode: is required: one of SESSION_MODE_PAPER, SESSION_MODE_LIVE, SESSION_MODE_BACKTEST',
      ],
    ],
    [
      'a start_session with bad parts',
      {
        kind: {
          case: 'startSession',
          value: {
            sessionId: 's',
            mode: SessionMode.PAPER,
            initialBalance: 'lots',
            disconnectPolicy: STRANGE_POLICY,
            symbols: ['X', ''],
          },
        },
      },
      [
        'start_session.initial_balance: must be a decimal number such as "0.25", without sign or exponent, got "lots"',
        'start_session.disconnect_policy: 9 is not a value of strategos.command.v1.DisconnectPolicy',
        'start_session.symbols[1]: is required',
      ],
    ],
    [
      'a start_session with endless symbols',
      {
        kind: {
          case: 'startSession',
          value: { sessionId: 's', mode: SessionMode.PAPER, symbols: Array.from({ length: 257 }, () => 'X') },
        },
      },
      ['start_session.symbols: must have at most 256 entries, has 257'],
    ],
    ['an empty stop_session', { kind: { case: 'stopSession', value: {} } }, ['stop_session.session_id: is required']],
    [
      'a pause of a line break',
      { kind: { case: 'pause', value: { sessionId: 'a\nb' } } },
      ['pause.session_id: must consist of printable characters'],
    ],
    [
      'cancel_orders with a bad symbol',
      { kind: { case: 'cancelOrders', value: { symbol: '\u{202E}X' } } },
      ['cancel_orders.symbol: must consist of printable characters'],
    ],
    [
      'a long ping',
      { kind: { case: 'ping', value: { payload: 'x'.repeat(257) } } },
      ['ping.payload: must have at most 256 characters, has 257'],
    ],
  ])('for %s', (_, init, expected) => {
    expect(violations(init)).toEqual(expected);
  });

  test('with everything that is wrong at once', () => {
    const found = violations({
      executor: '',
      requestId: '\n',
      lane: STRANGE_LANE,
      attemptsMax: 99,
      kind: { case: 'stopSession', value: {} },
      preconditions: { priceBand: {} },
      notAfter: { seconds: 0n, nanos: -1 },
      deadlines: { deliverWithin: { seconds: -1n, nanos: 0 } },
    });
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'executor',
      'request_id',
      'lane',
      'attempts_max',
      'preconditions.price_band',
      'not_after',
      'stop_session.session_id',
      'deadlines.deliver_within',
    ]);
  });

  test('for fields that this release does not know, at any depth', () => {
    const unknown = new BinaryWriter().tag(99, WireType.Varint).int32(1).finish();
    const inner = new BinaryWriter().tag(18, WireType.LengthDelimited).bytes(unknown).finish();
    const known = toBinary(IssueCommandRequestSchema, create(IssueCommandRequestSchema, { executor: 'e', kind: open }));
    const parsed = parseIssueRequest(
      fromBinary(IssueCommandRequestSchema, new Uint8Array([...known, ...unknown, ...inner])),
      NOW_MS,
    );
    expect(parsed).toMatchObject({
      type: 'refused',
      violations: [{ field: '#99' }, { field: 'open_position.#99' }],
    });
  });

  test('as stale, and as nothing else, when only its not_after is over', () => {
    expect(parse({ notAfter: at(NOW_MS - 1), requestId: 'r' })).toMatchObject({
      type: 'stale',
      wish: { requestId: 'r', notAfterMs: NOW_MS - 1 },
      violations: [{ field: 'not_after' }],
    });
    expect(parse({ notAfter: at(NOW_MS - 1), executor: '' }).type).toBe('refused');
  });
});

const target = { id: 'c1', accountId: 'main', executorId: 'e1' };

function fingerprintOf(init: Init, executorId = 'e1'): string {
  const order = orderOf(wish({ requestId: 'r', ...init }), { ...target, executorId });
  return Buffer.from(order.fingerprint ?? []).toString('hex');
}

describe('the order of a wish', () => {
  test('has a fingerprint only where there is a request_id to compare under', () => {
    expect(orderOf(wish({}), target).fingerprint).toBeNull();
    expect(orderOf(wish({ requestId: 'r' }), target).fingerprint).toHaveLength(32);
  });

  test('has the same fingerprint however the executor was named, and another for every other difference', () => {
    expect(fingerprintOf({ executor: 'by-name' })).toBe(
      fingerprintOf({ executor: '00000000-0000-4000-8000-000000000001' }),
    );
    const others = [
      fingerprintOf({}),
      fingerprintOf({}, 'e2'),
      fingerprintOf({
        kind: { case: 'openPosition', value: { symbol: 'BTC/USD', side: Side.SELL, quantity: '0.25' } },
      }),
      fingerprintOf({ lane: Lane.NORMAL }),
      fingerprintOf({ attemptsMax: 3 }),
      fingerprintOf({ notAfter: at(NOW_MS + 5) }),
      fingerprintOf({ preconditions: { strategyRevision: 1n } }),
      fingerprintOf({ deadlines: { deliverWithin: { seconds: 1n, nanos: 0 } } }),
      fingerprintOf({ deadlines: { receiveWithin: { seconds: 1n, nanos: 0 } } }),
      fingerprintOf({ deadlines: { startWithin: { seconds: 1n, nanos: 0 } } }),
      fingerprintOf({ deadlines: { finishWithin: { seconds: 1n, nanos: 0 } } }),
    ];
    expect(new Set(others).size).toBe(others.length);
  });
});
