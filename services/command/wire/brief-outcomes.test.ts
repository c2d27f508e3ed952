import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { IssueCommandsResponseSchema } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { sampleCommand } from '../../../test/harness/sample-commands.ts';
import { invalidFields, notFound } from '../../platform/errors.ts';
import { OPEN_STATES, TERMINAL_STATES } from '../domain/command.ts';
import type { IssueOutcome } from '../domain/command-desk.ts';
import { BriefOutcomes } from './brief-outcomes.ts';
import { reasonNumber } from './error-reason.ts';
import { stateToProto } from './state.ts';

const outcome: fc.Arbitrary<IssueOutcome> = fc.oneof(
  fc
    .record({
      id: fc.uuid(),
      executorId: fc.uuid(),
      state: fc.constantFrom(...OPEN_STATES, ...TERMINAL_STATES),
      sequence: fc.oneof(fc.nat(300), fc.maxSafeNat()),
      already: fc.boolean(),
    })
    .map(({ already, ...facts }) => ({ type: 'issued' as const, command: { ...sampleCommand(), ...facts }, already })),
  fc.constantFrom<IssueOutcome>(
    { type: 'refused', error: notFound('executor', 'vps-9') },
    {
      type: 'refused',
      error: invalidFields([{ field: 'kind', description: `is required: ${'é'.repeat(200)}` }]),
    },
  ),
);

test('a brief answer is byte for byte what the generated code makes of it, and can be looked into', () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 40 }), (outcomes) => {
      const message = create(IssueCommandsResponseSchema, { outcomes: outcomes.map(byGeneratedCode) });
      const brief = new BriefOutcomes(outcomes);
      expect(Buffer.from(brief.bytes).equals(toBinary(IssueCommandsResponseSchema, message))).toBe(true);
      expect(brief.outcomes).toEqual(fromBinary(IssueCommandsResponseSchema, brief.bytes).outcomes);
    }),
  );
});

function byGeneratedCode(one: IssueOutcome) {
  if (one.type === 'refused') {
    const { reason, message, code } = one.error;
    return { outcome: { case: 'error', value: { reason: reasonNumber(reason), message, code: Code[code] } } } as const;
  }
  const { id, executorId, sequence, state } = one.command;
  const command = { id, executorId, sequence: BigInt(sequence), state: stateToProto(state) };
  return { outcome: { case: 'issued', value: { command, alreadyIssued: one.already } } } as const;
}
