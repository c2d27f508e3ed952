import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { CommandSchema, CommandState, TransitionSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { commandRow, errorSentence, isTerminal, kindOf, parseStates, transitionText } from './view.ts';

const command = create(CommandSchema, {
  id: 'c-1',
  executorName: 'vps-1',
  kind: { case: 'openPosition', value: { symbol: 'BTC_USDT' } },
  state: CommandState.REJECTED,
  attempt: 1,
  attemptsMax: 3,
  error: { reason: ErrorReason.LOCAL_LIMIT, message: 'the agent may not trade DOGE_USDT', hop: 'agent' },
});

describe('a command for people', () => {
  test('its kind and error are what the protocol calls them', () => {
    expect(kindOf(command)).toBe('open_position');
    expect(errorSentence(command)).toBe('the agent may not trade DOGE_USDT [LOCAL_LIMIT at agent]');
    expect(errorSentence(create(CommandSchema, {}))).toBeUndefined();
  });

  test('a row is as wide as its table', () => {
    expect(commandRow(command)).toEqual([
      'c-1',
      'vps-1',
      'open_position',
      expect.stringContaining('REJECTED'),
      '1/3',
      '',
      'the agent may not trade DOGE_USDT [LOCAL_LIMIT at agent]',
    ]);
  });

  test('a row of one that an operator settled says what was seen at the venue', () => {
    const result = { fills: [{ symbol: 'BTC_USDT', quantity: '0.5', price: '20000' }] };
    const settled = create(CommandSchema, { note: 'order 77 is filled', settledBy: 'alice', result });
    expect(commandRow(settled).at(-1)).toBe('order 77 is filled');
  });

  test('a step tells from where, to where, and why', () => {
    const step = create(TransitionSchema, {
      fromState: CommandState.PENDING,
      toState: CommandState.EXPIRED,
      time: timestampFromMs(Date.now()),
      cause: 'deadline',
      message: 'nobody took it',
      reason: ErrorReason.DELIVER_DEADLINE,
    });
    expect(transitionText(step)).toMatch(/PENDING → .*EXPIRED.*deadline: nobody took it \[DELIVER_DEADLINE\]/);
  });

  test('terminal states are those from SUCCEEDED on', () => {
    expect(isTerminal(CommandState.RUNNING)).toBe(false);
    expect(isTerminal(CommandState.SUCCEEDED)).toBe(true);
    expect(isTerminal(CommandState.OUTCOME_UNKNOWN)).toBe(true);
  });
});

describe('states from the command line', () => {
  test('are understood in every way of writing, several at once', () => {
    expect(parseStates(['pending', 'SENT', 'outcome-unknown', 'COMMAND_STATE_FAILED'])).toEqual([
      CommandState.PENDING,
      CommandState.SENT,
      CommandState.OUTCOME_UNKNOWN,
      CommandState.FAILED,
    ]);
    expect(parseStates(['pending,sent'])).toEqual([CommandState.PENDING, CommandState.SENT]);
  });

  test.each(['done', 'unspecified', ''])('%j is refused with the known ones', (text) => {
    expect(() => parseStates([text])).toThrow(/the states are pending, sent/);
  });
});
