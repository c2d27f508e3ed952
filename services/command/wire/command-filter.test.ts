import { create, fromJson } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandFilterSchema } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { parseFilter } from './command-filter.ts';
import { FieldChecks } from './field-checks.ts';

describe('a filter', () => {
  test('that is absent matches everything', () => {
    expect(parseFilter(undefined, new FieldChecks())).toEqual({ executor: '', states: [], kinds: [] });
  });

  test('is the same in whatever order it was written', () => {
    const filter = create(CommandFilterSchema, {
      executor: 'vps-1',
      states: [CommandState.SENT, CommandState.PENDING, CommandState.SENT],
      kinds: ['ping', 'open_position', 'ping'],
    });
    expect(parseFilter(filter, new FieldChecks())).toEqual({
      executor: 'vps-1',
      states: ['PENDING', 'SENT'],
      kinds: ['open_position', 'ping'],
    });
  });

  test('is refused with every part that is wrong', () => {
    const filter = fromJson(CommandFilterSchema, { executor: '\n', states: [0, 77, 1], kinds: ['openPosition'] });
    const checks = new FieldChecks();
    parseFilter(filter, checks.within('filter'));
    expect(checks.violations).toEqual([
      { field: 'filter.executor', description: 'must consist of printable characters' },
      { field: 'filter.states[0]', description: expect.stringMatching(/^is required: one of COMMAND_STATE_PENDING, /) },
      { field: 'filter.states[1]', description: '77 is not a value of strategos.command.v1.CommandState' },
      {
        field: 'filter.kinds[0]',
        description: expect.stringMatching(/^is not a kind; the kinds are start_strategy, /),
      },
    ]);
  });
});
