import { startStack, type StackOptions, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** Limits that no test of ours runs into unless it means to. */
const UNLIMITED = {
  STRATEGOS_TOKEN_RATE: '1000000',
  STRATEGOS_TOKEN_BURST: '1000000',
  STRATEGOS_ADDRESS_RATE: '1000000',
  STRATEGOS_ADDRESS_BURST: '1000000',
  STRATEGOS_FAILURE_RATE: '10000',
  STRATEGOS_FAILURE_BURST: '10000',
};

/** A stack whose gateway has found the command service, and whose rate limits are out of the way. */
export async function startReadyStack(options: StackOptions = {}): Promise<TestStack> {
  const stack = await startStack({ ...options, gatewayEnv: { ...UNLIMITED, ...options.gatewayEnv } });
  try {
    await until(async () => (await fetch(`${stack.gatewayUrl}/readyz`)).status === 200, 'the gateway is ready');
    return stack;
  } catch (thrown) {
    await stack[Symbol.asyncDispose]();
    throw thrown;
  }
}
