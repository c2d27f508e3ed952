import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { OPEN_STATES, type Step, TERMINAL_STATES } from '../domain/command.ts';
import { putSteps, readSteps, stepsBytesMax } from './step-row.ts';

function stepsText(steps: readonly Step[]): string {
  const target = Buffer.alloc(stepsBytesMax(steps) + 2, '~');
  const bytes = putSteps(target, 1, steps);
  expect(bytes).toBeLessThanOrEqual(stepsBytesMax(steps));
  expect([target[0], target[1 + bytes]]).toEqual([0x7e, 0x7e]);
  return target.toString('utf8', 1, 1 + bytes);
}

const state = fc.constantFrom(...OPEN_STATES, ...TERMINAL_STATES);

const step: fc.Arbitrary<Step> = fc.record(
  {
    from: fc.option(state, { nil: null }),
    to: state,
    atMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    cause: fc.string(),
    attempt: fc.nat(20),
    epoch: fc.nat(),
    reason: fc.string(),
    message: fc.string({ unit: 'binary' }),
  },
  { requiredKeys: ['from', 'to', 'atMs', 'cause', 'attempt'] },
);

test('steps are read as they were written, whatever is left out', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      expect(readSteps(JSON.parse(stepsText(steps)))).toEqual(steps);
    }),
  );
});

test('nothing is stored for what is not there', () => {
  const issued: Step = { from: null, to: 'PENDING', atMs: 1_700_000_000_000, cause: 'issued', attempt: 0 };
  const sent: Step = { from: 'PENDING', to: 'SENT', atMs: 1_700_000_000_001, cause: 'sent', attempt: 1, epoch: 7 };
  expect(stepsText([issued, sent])).toBe(
    '{"s":[[null,"PENDING",1700000000000,"issued",0],["PENDING","SENT",1700000000001,"sent",1,7]]}',
  );
});
