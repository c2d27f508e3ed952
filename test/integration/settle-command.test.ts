import { ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { ended, getCommand, online } from '../fault/observe.ts';
import { Recorder } from '../fault/recorder.ts';
import { closePosition, deadlines, ping } from '../fault/wishes.ts';
import { runCli } from '../harness/cli.ts';
import type { CommandClient } from '../harness/clients.ts';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const { HAPPENED, DID_NOT_HAPPEN } = SettledOutcome;
/** So many that some answers come before the operator's word, and some after it. */
const RACES = 24;

/** Two replicas, an agent at one of them, and a recorder that issues to it. */
class Scene implements AsyncDisposable {
  readonly stack: TestStack;
  readonly agent: RecordingAgent;
  readonly recorder: Recorder;

  private constructor(stack: TestStack, agent: RecordingAgent, recorder: Recorder) {
    this.stack = stack;
    this.agent = agent;
    this.recorder = recorder;
  }

  static async start(): Promise<Scene> {
    const stack = await startStack({ commandReplicas: 2 });
    const agent = await startRecordingAgent(stack, { credentials: await stack.createExecutor('vps-1') });
    const recorder = await Recorder.start(stack);
    recorder.follow(agent);
    await online(stack, 'vps-1');
    return new Scene(stack, agent, recorder);
  }

  replica(index: number, caller: Partial<typeof FOUNDER> = {}): CommandClient {
    return this.stack.replicaCommandClient(index, { ...FOUNDER, ...caller });
  }

  /** Commands whose adapter has not come back in time; their answers come when the agent is told to go on. */
  async unknowns(count: number, session: string): Promise<string[]> {
    this.agent.control({ hold: 'after' });
    const issued = await this.recorder.issueMany(
      this.agent,
      Array.from({ length: count }, (_, n) => ({
        ...closePosition(session, `x-${n}`, 'BTC'),
        ...deadlines({ finishMs: 300 }),
      })),
    );
    const ends = await Promise.all(issued.map(({ id }) => ended(this.replica(0), id)));
    expect(new Set(ends.map(({ state }) => state))).toEqual(new Set([CommandState.OUTCOME_UNKNOWN]));
    return issued.map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorder[Symbol.asyncDispose]();
    await this.stack[Symbol.asyncDispose]();
  }
}

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.start();
});
afterAll(() => scene[Symbol.asyncDispose]());

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const thrown = await call.then(
    () => new Error('not refused'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw thrown;
  return `${reasonOf(thrown)}: ${thrown.rawMessage}`;
}

describe('settling', () => {
  test('takes an operator’s word once, says whose it is, and refuses another', async () => {
    const [id = ''] = await scene.unknowns(1, 'once');
    const fills = [{ symbol: 'BTC', side: Side.SELL, quantity: '0.5', price: '20000', fee: '1.5' }];
    const request = { id, outcome: HAPPENED, note: 'order 77 is filled', fills };
    const explained = await scene.replica(0).explainCommand({ id });
    expect(explained.sentence).toContain(`strategos command settle ${id}`);

    const first = await scene.replica(1).settleCommand(request);
    expect(first.alreadySettled).toBe(false);
    expect(first.command).toMatchObject({ state: CommandState.SUCCEEDED, settledBy: 'founder', note: request.note });
    expect(first.command?.result?.fills).toMatchObject(fills);
    expect(first.command?.error).toBeUndefined();

    const bob = scene.replica(0, { subject: 'bob' });
    const again = await bob.settleCommand({ ...request, note: 'filled, as the founder says' });
    expect(again).toEqual({ ...first, alreadySettled: true });
    expect(await refusalOf(bob.settleCommand({ ...request, fills: [] }))).toContain(
      `STATE_ILLEGAL: command ${id} is SUCCEEDED: founder has settled it with other fills`,
    );
    expect(await refusalOf(bob.settleCommand({ id, outcome: DID_NOT_HAPPEN, note: 'not filled' }))).toContain(
      `STATE_ILLEGAL: command ${id} is SUCCEEDED: founder has settled it otherwise`,
    );

    scene.agent.control({});
    await until(
      () => scene.agent.acts('result').some(({ commandId }) => commandId === id),
      'the agent has answered late',
    );
    await ended(scene.replica(0), (await scene.recorder.issue(scene.agent, ping())).id);
    expect(await getCommand(scene.replica(0), id)).toEqual(first.command);
    const { sentence, timeline } = await scene.replica(0).explainCommand({ id });
    expect(sentence).toMatch(/^had its effect, by the word of operator founder at .*: order 77 is filled; its outcome/);
    expect(timeline.at(-1)).toMatchObject({
      cause: 'settled by an operator',
      message: 'settled by founder, who saw its effect at the venue: order 77 is filled',
      streamEpoch: 0n,
    });
  });

  test('is refused while a command is open, after a known end, and for another account', async () => {
    scene.agent.control({ hold: 'before' });
    const { id } = await scene.recorder.issue(scene.agent, ping());
    const said = { id, outcome: DID_NOT_HAPPEN, note: 'nothing there' };
    expect(await refusalOf(scene.replica(0).settleCommand(said))).toMatch(
      /^STATE_ILLEGAL: command .* is (PENDING|SENT|RECEIVED|RUNNING): it has not ended/,
    );
    const stranger = scene.replica(0, { accountId: 'another' });
    expect(await refusalOf(stranger.settleCommand(said))).toMatch(/^RESOURCE_NOT_FOUND: /);
    scene.agent.control({});
    await ended(scene.replica(0), id);
    expect(await refusalOf(scene.replica(0).settleCommand(said))).toContain(
      'is SUCCEEDED: its outcome is known, and there is nothing to settle',
    );
    expect(await refusalOf(stranger.settleCommand(said))).toMatch(/^RESOURCE_NOT_FOUND: /);
  });

  test('is for operators', async () => {
    const { bearer: viewer } = await (await scene.stack.accessClient()).createToken({
      name: 'looks',
      role: Role.VIEWER,
    });
    const looking = await scene.stack.commandClient(viewer);
    const { id } = await scene.recorder.issue(scene.agent, ping());
    const said = { id, outcome: DID_NOT_HAPPEN, note: 'nothing there' };
    expect(await refusalOf(looking.settleCommand(said))).toMatch(/^ROLE_INSUFFICIENT: /);
  });

  test('of two words on two replicas one is taken, and the other is told which', async () => {
    const ids = await scene.unknowns(RACES, 'two-words');
    const races = await Promise.all(
      ids.map((id) =>
        Promise.allSettled(
          [HAPPENED, DID_NOT_HAPPEN].map((outcome, index) =>
            scene.replica(index, { subject: `operator-${index}` }).settleCommand({ id, outcome, note: 'looked' }),
          ),
        ),
      ),
    );
    for (const [index, said] of races.entries()) {
      const taken = said.flatMap((one) => (one.status === 'fulfilled' ? [one.value.command] : []));
      expect(taken).toEqual([await getCommand(scene.replica(0), ids[index] ?? '')]);
      for (const one of said) if (one.status === 'rejected') expect(reasonOf(one.reason)).toBe('STATE_ILLEGAL');
    }
    scene.agent.control({});
  });
});

test('of an operator’s word and a late answer the first that is stored stands, and nothing is promised twice', async () => {
  await using race = await Scene.start();
  const ids = await race.unknowns(RACES, 'race');
  const say = (id: string): Promise<string | undefined> =>
    race.recorder.settle(id, HAPPENED, 'the venue shows it').then(
      () => 'taken',
      (thrown: unknown) => reasonOf(ConnectError.from(thrown)),
    );
  // The agent begins to answer when the first word has been taken and the others are under way.
  const said = ids.map(say);
  await Promise.race(said);
  race.agent.control({});
  const words = await Promise.all(said);
  expect(words).toContain('taken');
  for (const [index, word] of words.entries()) {
    const { state, settledBy } = await getCommand(race.replica(0), ids[index] ?? '');
    const expected = word === 'taken' ? ['taken', 'founder'] : ['STATE_ILLEGAL', ''];
    expect([CommandState[state], word, settledBy]).toEqual(['SUCCEEDED', ...expected]);
  }
  expect(await race.recorder.verdict()).toBe('');
});

test('the command line settles, shows the command, and asks what the venue shows', async () => {
  const [id = ''] = await scene.unknowns(1, 'typed');
  const unsaid = await runCli(scene.stack, ['command', 'settle', id, '--note', 'looked']);
  expect([unsaid.code, unsaid.stderr]).toEqual([2, expect.stringContaining('--happened or --did-not-happen')]);
  const both = await runCli(scene.stack, [
    'command',
    'settle',
    id,
    '--happened',
    '--did-not-happen',
    '--note',
    'looked',
  ]);
  expect(both.code).toBe(2);
  const typed = ['command', 'settle', id, '--happened', '--note', 'order 78 is filled', '--fill', 'sell,BTC,0.5,20000'];
  const table = await runCli(scene.stack, typed);
  expect(table.stderr).toBe('');
  expect(table.stdout).toMatch(/settled +\S+.* by operator founder/);
  expect(table.stdout).toContain('0.5 BTC at 20000');
  const json = await runCli(scene.stack, [...typed, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    alreadySettled: true,
    command: { id, state: 'COMMAND_STATE_SUCCEEDED', settledBy: 'founder', note: 'order 78 is filled' },
  });
  scene.agent.control({});
});
