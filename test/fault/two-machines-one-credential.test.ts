import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { runCliDocument } from '../harness/cli.ts';
import { saidHello } from '../harness/doctored.ts';
import type { RecordingControl } from '../harness/recording-control.ts';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { logLines } from './agent-log.ts';
import { ended, getExecutor, online, reached } from './observe.ts';
import { Recorder } from './recorder.ts';
import { closePosition, ping } from './wishes.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack({ commandReplicas: 2 });
});

afterAll(() => stack[Symbol.asyncDispose]());

interface Machines {
  readonly recorder: Recorder;
  readonly first: RecordingAgent;
  /** Started by the test. */
  readonly second: RecordingAgent;
}

/** Two agents with one credential and a journal each; the first is online. The replicas take turns. */
async function twoMachines(recorder: Recorder, executor: string, control: RecordingControl = {}): Promise<Machines> {
  const credentials = await stack.createExecutor(executor);
  const env = { STRATEGOS_CONCURRENCY_MAX: '1' };
  const first = await startRecordingAgent(stack, { credentials, name: `${executor}-1`, control, env });
  const linkUrls = stack.linkUrls.toReversed();
  const second = await startRecordingAgent(stack, { credentials, name: `${executor}-2`, linkUrls, started: false });
  await online(stack, executor);
  return { recorder, first: recorder.follow(first), second: recorder.follow(second) };
}

async function takenOver({ first, second }: Machines, executor: string): Promise<void> {
  const { streamEpoch } = await getExecutor(stack, executor);
  await second.start();
  await online(stack, executor, { afterEpoch: streamEpoch });
  await until(() => logLines(first, 'another agent took over').length > 0, 'the first machine knows');
}

describe.concurrent('two machines with one credential', () => {
  test('exactly one acts, and the operator sees it', async () => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const machines = await twoMachines(recorder, 'shared');
    const { first, second } = machines;
    const client = await stack.commandClient();
    await ended(client, (await recorder.issue(first, ping('to the first'))).id);
    await takenOver(machines, 'shared');
    const commands = await Promise.all(
      Array.from({ length: 40 }, (_, n) => recorder.issue(first, closePosition('s', `x${n % 5}`, 'BTC'))),
    );
    await Promise.all(commands.map(({ id }) => ended(client, id)));
    expect(first.acts('start')).toHaveLength(1);
    expect(
      second
        .acts('effect')
        .map((act) => act.commandId)
        .toSorted(),
    ).toEqual(commands.map(({ id }) => id).toSorted());

    const seen = z
      .object({ takeovers: z.number(), takeoverTime: z.string(), journalId: z.string() })
      .parse(await runCliDocument(stack, ['executor', 'get', 'shared']));
    expect(seen.takeovers).toBe(1);
    // They do not push each other out in turns: the first stays away.
    expect(logLines(first, '"link state"').at(-1)).toContain('superseded');
    await first.stop();
    expect(await recorder.verdict()).toBe('');
  });

  test('one that has a copy of the journal is counted as well, and an agent that comes back is not', async () => {
    const credentials = await stack.createExecutor('copied');
    const hello = { journalId: 'copied-journal', host: 'vps-1' };
    await using peers = new AsyncDisposableStack();
    peers.use(await saidHello(credentials, hello));
    peers.use(await saidHello(credentials, hello));
    expect((await getExecutor(stack, 'copied')).takeovers).toBe(0);
    peers.use(await saidHello(credentials, { ...hello, host: 'vps-2' }));
    expect((await getExecutor(stack, 'copied')).takeovers).toBe(1);
  });

  test('what the first had received and not started is not started by it any more', async () => {
    await using recorder = await Recorder.start(stack, { watches: 0 });
    const machines = await twoMachines(recorder, 'queued', { hold: 'before' });
    const { first } = machines;
    const client = await stack.commandClient();
    const running = await recorder.issue(first, closePosition('s', 'x', 'BTC'));
    await reached(client, running.id, [CommandState.RUNNING]);
    const queued = await recorder.issue(first, ping('received by the first'));
    await reached(client, queued.id, [CommandState.RECEIVED]);
    await takenOver(machines, 'queued');
    // Nobody can say what the other journal has done with them.
    expect((await ended(client, running.id)).state).toBe(CommandState.OUTCOME_UNKNOWN);
    expect((await ended(client, queued.id)).state).toBe(CommandState.OUTCOME_UNKNOWN);
    first.control({});
    await first.seen('result', running.id);
    await ended(client, (await recorder.issue(first, ping('to the second'))).id);
    await first.stop();
    expect(first.acts('start').map((act) => act.commandId)).toEqual([running.id]);
    expect(await recorder.verdict()).toBe('');
  });
});
