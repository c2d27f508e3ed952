import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { InstanceState } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import type { TestAgent } from '../harness/agent.ts';
import { flat, Tape } from '../harness/tape.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { strategyJson, TradingStack, when } from '../harness/trading.ts';
import { until } from '../harness/until.ts';
import { online } from './observe.ts';
import { TradingView } from './trading-view.ts';

/** Between the start of an execution and its effect: long enough to do something in between. */
const LATENCY_MS = 3_000;

let trading: TradingStack;

beforeAll(async () => {
  trading = await TradingStack.start({ tradingEnv: { session: { STRATEGOS_ASK_UNKNOWN_SECONDS: '1' } } });
  await trading.create(
    strategyJson('trader', {
      s1_signal: when('price', '>=', 110),
      z1_entry: when('price', '>=', 110),
      ze1_close: when('price', '>', 200),
    }),
  );
});
afterAll(() => trading[Symbol.asyncDispose]());

/** An agent whose venue takes its time, and a session whose entry it is executing. */
class Scene implements AsyncDisposable {
  readonly tape: Tape;
  readonly view: TradingView;
  readonly agent: TestAgent;
  readonly cable: TcpProxy;

  private constructor(agent: TestAgent, cable: TcpProxy, tape: Tape, view: TradingView) {
    this.agent = agent;
    this.cable = cable;
    this.tape = tape;
    this.view = view;
  }

  static async entering(name: string): Promise<Scene> {
    const { stack } = trading;
    const cable = await TcpProxy.start(Number(new URL(stack.linkUrls[0] ?? '').port));
    const agent = await stack.startAgent({
      credentials: await stack.createExecutor(name),
      linkUrls: [cable.url],
      gatewayUrl: '',
      env: { STRATEGOS_PAPER_LATENCY_MS: `${LATENCY_MS}` },
    });
    await online(stack, name);
    const symbol = `${name.toUpperCase()}_USDT`;
    const tape = await Tape.start(trading, symbol, 100);
    const session = await trading.startSession('trader', symbol, { executor: name });
    const view = new TradingView(trading, session.id, name);
    await tape.play([...flat(110, 2), ...flat(105)]);
    const scene = new Scene(agent, cable, tape, view);
    await scene.entry(CommandState.RUNNING);
    return scene;
  }

  async entry(state: CommandState): Promise<void> {
    await until(
      async () => (await this.view.commands('open_position')).some((command) => command.state === state),
      `the entry is ${CommandState[state]}`,
      30_000,
    );
  }

  /** Positions on the agent's own disk. */
  onDisk(): number {
    const database = new DatabaseSync(join(this.agent.journal, 'paper.db'), { readOnly: true });
    try {
      const count = database.prepare(`SELECT count(*) AS positions FROM record WHERE collection = 'position'`);
      return Number(count.get()?.['positions']);
    } finally {
      database.close();
    }
  }

  /** The agent dies and comes back without the journal of its commands; its venue is as it was. */
  async returnForgetful(): Promise<void> {
    await this.agent.kill();
    await Promise.all(
      ['journal.db', 'journal.db-wal', 'journal.db-shm'].map((file) =>
        rm(join(this.agent.journal, file), { force: true }),
      ),
    );
    this.cable.heal();
    await this.agent.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.kill();
    await this.cable[Symbol.asyncDispose]();
  }
}

describe.concurrent('an entry whose answer is lost for good is settled by asking the agent', () => {
  test('it was filled: the instance holds one position, which its strategy leaves later', async () => {
    await using scene = await Scene.entering('filled');
    const { view, tape } = scene;
    scene.cable.blackhole('up');
    await until(() => scene.onDisk() === 1, 'the entry has its effect', 30_000);
    await scene.returnForgetful();
    expect(await unknownThen(view, PositionState.OPEN)).toMatchObject({ entryPrice: '110' });
    await view.instance('trader', InstanceState.POSITION_ACTIVE);
    expect(await view.held()).toMatchObject([{ symbol: tape.symbol, entryPrice: '110' }]);
    await tape.play([{ close: 250 }, ...flat(105)]);
    expect(await view.position('trader', PositionState.CLOSED)).toMatchObject({
      exitReason: 'ze1_close',
      exitPrice: '250',
    });
    await view.instance('trader', InstanceState.MONITORING);
    expect(await view.positions()).toHaveLength(1);
    expect(await view.commands('open_position')).toHaveLength(1);
  });

  test('it never took effect: the instance watches again, and there is no position', async () => {
    await using scene = await Scene.entering('lost');
    const { view } = scene;
    expect(scene.onDisk()).toBe(0);
    await scene.returnForgetful();
    await view.instance('trader', InstanceState.MONITORING);
    expect(await view.story('trader', (lines) => lines.length >= 3)).toEqual([
      'MONITORING > SIGNAL_DETECTED s1_signal conditions_met',
      'SIGNAL_DETECTED > ENTRY_EVALUATION z1_entry conditions_met',
      'ENTRY_EVALUATION > MONITORING venue not_found',
    ]);
    expect(await view.held()).toEqual([]);
    expect(await view.positions()).toEqual([]);
    expect((await view.commands('open_position')).map(({ state }) => CommandState[state])).toEqual(['OUTCOME_UNKNOWN']);
  });
});

/** Waits for the position to be UNKNOWN first, and then what it really is. */
async function unknownThen(view: TradingView, state: PositionState) {
  await view.position('trader', PositionState.UNKNOWN);
  return view.position('trader', state);
}
