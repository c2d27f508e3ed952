import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { type ExplainCommandResponse, Hop } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { startProxiedAgent } from '../fault/link-proxy.ts';
import { ended, getCommand, ms, offline, reached } from '../fault/observe.ts';
import { Recorder } from '../fault/recorder.ts';
import { closePosition, deadlines, openPosition, ping, stopSession } from '../fault/wishes.ts';
import { runCli } from '../harness/cli.ts';
import type { CommandClient } from '../harness/clients.ts';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const CLOCK = '\\d\\d:\\d\\d:\\d\\d';
const SPAN = '[0-9.]+[dhms][0-9.dhms]*';

let stack: TestStack;
let client: CommandClient;
let recorder: Recorder;

beforeAll(async () => {
  stack = await startStack();
  client = await stack.commandClient();
  recorder = await Recorder.start(stack, { watches: 0 });
});

afterAll(async () => {
  await recorder[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

/** Waits until the command is explained by this hop; the answer is then looked at as a whole. */
async function explainedBy(commandId: string, hop: Hop): Promise<ExplainCommandResponse> {
  return until(async () => {
    const explained = await client.explainCommand({ id: commandId });
    if (explained.hop === hop) return explained;
    throw new Error(`explained by ${Hop[explained.hop]}: ${explained.sentence}`);
  }, `${commandId} is explained by ${Hop[hop]}`);
}

async function stoppedAgent(name: string): Promise<RecordingAgent> {
  return startRecordingAgent(stack, { credentials: await stack.createExecutor(name), started: false });
}

describe.concurrent('explain names the hop', () => {
  test('an executor that has never connected', async () => {
    const agent = await stoppedAgent('newcomer');
    const command = await recorder.issue(agent, stopSession('s'));
    const { sentence, timeline } = await explainedBy(command.id, Hop.EXECUTOR_NEVER_CONNECTED);
    expect(sentence).toMatch(
      new RegExp(`^waiting for executor newcomer, which has never connected; expires in ${SPAN}$`),
    );
    expect(timeline.map((step) => step.cause)).toEqual(['issued']);
  });

  test('an executor that is offline, since when, and how long the command still waits; the CLI says the same', async () => {
    await using link = await startProxiedAgent(stack, 'vps-7');
    await link.agent.stop();
    const { disconnectTime } = await offline(stack, 'vps-7');
    const command = await recorder.issue(link.agent, openPosition('s', 'x', 'BTC'));
    const { sentence } = await explainedBy(command.id, Hop.EXECUTOR_OFFLINE);
    const since = new Date(ms(disconnectTime)).toISOString().slice(11, 19);
    expect(sentence).toMatch(new RegExp(`^waiting for executor vps-7, offline since ${since}; expires in (5m|4m5\\d)`));
    const { stdout } = await runCli(stack, ['command', 'explain', command.id]);
    expect(stdout).toContain(`waiting for executor vps-7, offline since ${since}`);
  });

  test('an agent that calls and is refused: why, since when and what to do; with the right credential it is served', async () => {
    const credentials = await stack.createExecutor('outdated');
    const rotated = await stack
      .replicaExecutorClient(0)
      .rotateCredentials({ executor: 'outdated', overlap: { seconds: 0n } });
    const refused = await stack.startAgent({ credentials });
    const { command } = await client.issueCommand({ executor: 'outdated', ...ping() });
    const id = command?.id ?? '';
    const { sentence } = await explainedBy(id, Hop.AGENT_REFUSED);
    expect(sentence).toMatch(
      new RegExp(
        `^waiting for executor outdated, whose agent calls and is refused since ${CLOCK}: credential ${credentials.keyId} has ended; .*\\(CREDENTIAL_REVOKED\\); give its agent the newest credentials file, .*; expires in ${SPAN}$`,
      ),
    );
    const { stdout } = await runCli(stack, ['command', 'explain', id]);
    expect(stdout).toContain('whose agent calls and is refused since');
    const shown = (await runCli(stack, ['executor', 'get', 'outdated'])).stdout;
    expect(shown).toMatch(/last refusal +an agent with its credential is refused since .*\(CREDENTIAL_REVOKED\)/);
    expect(shown).toMatch(/to do +give its agent the newest credentials file/);
    expect((await runCli(stack, ['executor', 'list'])).stdout).toMatch(/outdated +never connected, refused/);
    await refused.stop();
    if (rotated.credentials === undefined) throw new Error('rotated without credentials');
    const renewed = await stack.startAgent({ credentials: rotated.credentials, name: 'renewed' });
    await ended(client, id);
    expect((await runCli(stack, ['executor', 'list'])).stdout).toMatch(/outdated +online /);
    await renewed.stop();
  });

  test('an executor that was disabled', async () => {
    const agent = await stoppedAgent('disabled');
    const command = await recorder.issue(agent, stopSession('s'));
    await (await stack.executorClient()).disableExecutor({ executor: 'disabled' });
    const { sentence } = await explainedBy(command.id, Hop.EXECUTOR_DISABLED);
    expect(sentence).toMatch(new RegExp(`^waiting for executor disabled, disabled since ${CLOCK}`));
  });

  test('an executor at its credit limit, and a command behind a key', async () => {
    const env = { STRATEGOS_IN_FLIGHT_MAX: '1' };
    await using link = await startProxiedAgent(stack, 'narrow', { env, control: { hold: 'before' } });
    const first = await recorder.issue(link.agent, closePosition('s', 'x', 'BTC'));
    const unrelated = await recorder.issue(link.agent, ping());
    const related = await recorder.issue(link.agent, stopSession('s'));
    const credit = await explainedBy(unrelated.id, Hop.CREDIT_LIMIT);
    expect(credit.sentence).toMatch(/^narrow takes 1 commands? at once and has 1; expires in /);
    const key = await explainedBy(related.id, Hop.ORDERING_KEY);
    expect(key.blockingCommandIds).toEqual([first.id]);
    expect(key.sentence).toMatch(
      new RegExp(`^waiting behind close_position ${first.id} \\((SENT|RECEIVED|RUNNING)\\), key "/s"; expires in `),
    );
    link.agent.control({});
    await ended(client, related.id);
  });

  test('a retry that waits', async () => {
    await using link = await startProxiedAgent(stack, 'flaky', { control: { fail: 'retryable' } });
    const command = await recorder.issue(link.agent, ping());
    const { sentence } = await explainedBy(command.id, Hop.RETRY_BACKOFF);
    expect(sentence).toMatch(/^attempt \d failed: .*the test wants it to fail.*; tried again (in|any)/);
    const done = await ended(client, command.id);
    expect(done).toMatchObject({ state: CommandState.FAILED, attempt: 3 });
  });

  test('sent and not received', async () => {
    await using link = await startProxiedAgent(stack, 'unheard');
    link.proxy.blackhole('up');
    const command = await recorder.issue(link.agent, closePosition('s', 'x', 'BTC'));
    const { sentence } = await explainedBy(command.id, Hop.RECEIPT);
    expect(sentence).toMatch(
      new RegExp(`^written to unheard at ${CLOCK} \\(attempt \\d\\) and not acknowledged; written again in`),
    );
    link.proxy.heal();
    await ended(client, command.id, 30_000);
  });

  test('received and not started, and being executed', async () => {
    const env = { STRATEGOS_CONCURRENCY_MAX: '1' };
    await using link = await startProxiedAgent(stack, 'busy', { env, control: { hold: 'before' } });
    const running = await recorder.issue(link.agent, closePosition('s', 'x', 'BTC'));
    await reached(client, running.id, [CommandState.RUNNING]);
    const waiting = await recorder.issue(link.agent, ping());
    const held = await explainedBy(waiting.id, Hop.AGENT_START);
    expect(held.sentence).toMatch(new RegExp(`^in the journal of busy since ${CLOCK} and not started; `));
    const executed = await explainedBy(running.id, Hop.EXECUTION);
    expect(executed.sentence).toMatch(new RegExp(`^running on busy since ${CLOCK}; `));
    link.agent.control({});
    const done = await ended(client, waiting.id);
    const { sentence } = await explainedBy(done.id, Hop.NONE);
    expect(sentence).toMatch(/succeeded/);
  });

  test('over-running', async () => {
    await using link = await startProxiedAgent(stack, 'slow', { control: { hold: 'before' } });
    const command = await recorder.issue(link.agent, {
      ...closePosition('s', 'x', 'BTC'),
      ...deadlines({ finishMs: 500 }),
    });
    await reached(client, command.id, [CommandState.RUNNING]);
    link.agent.pause();
    const { sentence } = await explainedBy(command.id, Hop.OVERRUN);
    expect(sentence).toMatch(
      new RegExp(`^running on slow since ${CLOCK}, ${SPAN} longer than the 0.5s it was given; `),
    );
    link.agent.resume();
    await ended(client, command.id);
  });

  test('silent where progress was promised', async () => {
    await using link = await startProxiedAgent(stack, 'quiet', { control: { hold: 'after' } });
    const command = await recorder.issue(link.agent, { ...stopSession('s'), ...deadlines({ progressMs: 300 }) });
    const { sentence } = await explainedBy(command.id, Hop.OVERRUN);
    expect(sentence).toMatch(/silent for .* where 0\.3s are allowed/);
    link.agent.control({});
    await until(async () => (await getCommand(client, command.id)).state === CommandState.SUCCEEDED, 'settled');
  });

  test('refused by the venue, and by the limits of the agent itself', async () => {
    await using link = await startProxiedAgent(stack, 'refusing', { control: { fail: 'rejected' } });
    const command = await recorder.issue(link.agent, ping());
    await ended(client, command.id);
    const { sentence } = await explainedBy(command.id, Hop.REFUSED);
    expect(sentence).toMatch(/the test wants it refused/);
    const limited = await stack.startAgent({
      credentials: await stack.createExecutor('limited'),
      env: { STRATEGOS_LIMIT_SYMBOLS: 'ETHUSDT' },
    });
    const { command: refused } = await client.issueCommand({ executor: 'limited', ...openPosition('', '', 'BTCUSDT') });
    await ended(client, refused?.id ?? '');
    expect((await explainedBy(refused?.id ?? '', Hop.REFUSED)).sentence).toMatch(/symbol "BTCUSDT"/);
    await limited.stop();
  });
});
