import { expect, test } from 'vitest';
import { outcomeToProto } from './outcome-to-proto.ts';

test('the words of a talkative venue are cut to what the evaluator takes', () => {
  const told = outcomeToProto({
    id: 'o',
    sessionId: 's',
    instanceId: 'i',
    intentId: 'n',
    type: 'NOT_CLOSED',
    section: 'ZE1_CLOSE',
    reason: '',
    message: `${'x'.repeat(1_999)}😀 and so on`,
    price: '',
    quantity: '',
    timeMs: 0,
  });
  expect(told.message).toBe(`${'x'.repeat(1_999)}\uFFFD`);
});
