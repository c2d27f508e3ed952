import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyDefinition } from '../../../test/harness/any-definition.ts';
import {
  ConditionSchema,
  type Operator,
  PositionSizeSchema,
  StrategyDefinitionSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { judge } from '../domain/judge-definition.ts';
import { readDefinition } from '../domain/read-definition.ts';
import { definitionTree, protoPath } from './definition-from-proto.ts';
import { definitionToProto } from './definition-to-proto.ts';

describe('a definition as a message', () => {
  test('comes back without loss', () => {
    fc.assert(
      fc.property(anyDefinition, (definition) => {
        const bytes = toBinary(StrategyDefinitionSchema, definitionToProto(definition));
        const { definition: read } = judge(readDefinition(definitionTree(fromBinary(StrategyDefinitionSchema, bytes))));
        expect(read).toEqual(definition);
      }),
    );
  });

  test('is refused by the same rules, with the values that only messages can have', () => {
    const unknown: Operator = fromBinary(ConditionSchema, Uint8Array.of(3 << 3, 99)).operator;
    const message = create(StrategyDefinitionSchema, {
      strategyName: 'x',
      s1Signal: {
        conditions: [
          create(ConditionSchema, {
            id: 'a',
            indicatorId: 'price',
            operator: unknown,
            value: Number.POSITIVE_INFINITY,
          }),
          create(ConditionSchema, { id: 'b', indicatorId: 'price', value: Number.NaN }),
        ],
      },
      z1Entry: { positionSize: create(PositionSizeSchema, { value: 1 }) },
    });
    const { faults } = judge(readDefinition(definitionTree(message)));
    expect(
      faults.filter(({ warning }) => !warning).map(({ field, description }) => `${protoPath(field)}: ${description}`),
    ).toEqual([
      'definition.s1_signal.conditions[0].operator: must be one of > >= < <= == !=, is 99',
      'definition.s1_signal.conditions[0].value: must be a finite number, is Infinity',
      'definition.s1_signal.conditions[1].operator: is required: one of > >= < <= == !=',
      'definition.s1_signal.conditions[1].value: must be a finite number, is NaN',
      'definition.z1_entry.position_size.type: is required: one of percentage fixed',
    ]);
  });
});
