import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { ExecutorState } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { logLines, noticedByAgent } from './agent-log.ts';
import { getExecutor, ms, online } from './observe.ts';
import { ping } from './wishes.ts';

const CLOSED_WITHIN_MS = 1_000;

test.concurrent.each(['shared', 'none'] as const)(
  'disabling through another replica closes the stream within a second (NATS: %s)',
  async (nats) => {
    await using stack = await startStack({ commandReplicas: 2, gateway: false, nats });
    const agent = await startRecordingAgent(stack, { credentials: await stack.createExecutor('doomed') });
    const { ownerReplica, streamEpoch } = await online(stack, 'doomed');
    const other = ownerReplica === 'command-0' ? 1 : 0;
    const endsBefore = logLines(agent, 'stream ended').length;

    await stack.replicaExecutorClient(other).disableExecutor({ executor: 'doomed' });
    await noticedByAgent(agent, endsBefore, CLOSED_WITHIN_MS);
    const disabled = await until(async () => {
      const executor = await getExecutor(stack, 'doomed', other);
      return executor.disconnectTime !== undefined && executor;
    }, 'the end of the stream is recorded');
    expect(disabled.state).toBe(ExecutorState.DISABLED);
    expect(ms(disabled.disconnectTime) - ms(disabled.disableTime)).toBeLessThan(CLOSED_WITHIN_MS);
    const refused = await until(() => logLines(agent, 'refuses this credential').at(-1), 'the agent says why');
    expect(refused).toContain('EXECUTOR_DISABLED');

    // Neither a command nor a stream is taken any more, by either replica.
    for (const replica of [other, 1 - other]) {
      const issue = () => stack.replicaCommandClient(replica).issueCommand({ executor: 'doomed', ...ping() });
      await until(
        async () => (await refusalOf(issue())) === 'FailedPrecondition EXECUTOR_DISABLED',
        'refused',
        CLOSED_WITHIN_MS,
      );
    }
    await agent.restart();
    await until(() => logLines(agent, 'refuses this credential').length > 0, 'the restarted agent is refused');
    expect((await getExecutor(stack, 'doomed')).streamEpoch).toBe(streamEpoch);
  },
);

/** Code and reason with which a call is refused; empty when it is not. */
async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return '';
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return `${Code[error.code]} ${reasonOf(error) ?? ''}`;
  }
}
