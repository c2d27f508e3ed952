import { fromJson } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { TokenSchema } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandState, TransitionSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  ConditionResultSchema,
  EvaluationSchema,
  InstanceSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { SourceSchema } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { PositionSchema, SessionSchema, SignalSchema } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { tokenRow } from '../access/token.ts';
import { transitionText } from '../command/view.ts';
import { conditionText, evaluationText, instanceRow } from '../instance/view.ts';
import { sourceRow } from '../market/view.ts';
import { conditionsText, sizeText } from '../strategy/view.ts';
import { positionRow, sessionRow, signalRow } from '../session/view.ts';
import { ConditionSchema, StrategyDefinitionSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { valueName } from './value-name.ts';

/** A value that only a newer platform knows. */
const LATER = 99;

test('a value has its name, and one of a later release its number', () => {
  expect(valueName(CommandState, CommandState.SUCCEEDED)).toBe('SUCCEEDED');
  expect(valueName(CommandState, LATER)).toBe('99');
});

test.each<readonly [string, () => string | readonly string[]]>([
  [
    'an evaluation',
    () => evaluationText(fromJson(EvaluationSchema, { fromState: LATER, toState: LATER, section: LATER })),
  ],
  [
    'an evaluation that was held back',
    () => evaluationText(fromJson(EvaluationSchema, { fromState: LATER, blocked: true })),
  ],
  ['a condition', () => conditionText(fromJson(ConditionResultSchema, { operator: LATER }))],
  ['an instance', () => instanceRow(fromJson(InstanceSchema, { status: LATER, state: LATER }))],
  ['a session', () => sessionRow(fromJson(SessionSchema, { mode: LATER, state: LATER }))],
  ['a signal', () => signalRow(fromJson(SignalSchema, { state: LATER }))],
  ['a position', () => positionRow(fromJson(PositionSchema, { state: LATER }))],
  ['a source of prices', () => sourceRow(fromJson(SourceSchema, { state: LATER }))],
  ['the freshness of prices', () => sourceRow(fromJson(SourceSchema, { stats: { freshness: LATER } }))],
  ['a condition of a strategy', () => conditionsText([fromJson(ConditionSchema, { operator: LATER })])],
  ['a size', () => sizeText(fromJson(StrategyDefinitionSchema, { z1Entry: { positionSize: { type: LATER } } }))],
  ['a token', () => tokenRow(fromJson(TokenSchema, { role: LATER }))],
  ['a step', () => transitionText(fromJson(TransitionSchema, { fromState: LATER, toState: LATER, reason: LATER }))],
])('%s with values of a newer platform is shown, with their numbers', (_, shown) => {
  const cells = [shown()].flat();
  expect(cells.join(' ')).toContain('99');
  expect(cells.join(' ')).not.toContain('undefined');
  expect(cells).not.toContain(undefined);
});
