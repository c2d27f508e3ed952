import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState, PositionCloseReason } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { InstanceState } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { DisconnectPolicy } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import type { TestAgent } from '../harness/agent.ts';
import { flat, Tape } from '../harness/tape.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { strategyJson, TradingStack, when } from '../harness/trading.ts';
import { until } from '../harness/until.ts';
import { logLines } from './agent-log.ts';
import { online } from './observe.ts';
import { closings, collectVenueEvents } from './paper-scene.ts';
import { TradingView } from './trading-view.ts';

const FLATTEN_AFTER_MS = 4_000;
/** A cable that is pulled without a word is noticed after 20 s of silence; the rest is room for a busy machine. */
const ACTED_WITHIN_MS = 60_000;

let trading: TradingStack;

beforeAll(async () => {
  trading = await TradingStack.start();
  await trading.create(
    strategyJson('trader', {
      s1_signal: when('price', '>=', 110),
      z1_entry: when('price', '>=', 110),
      ze1_close: when('price', '>', 200),
    }),
  );
});
afterAll(() => trading[Symbol.asyncDispose]());

/** An agent of which every way to the platform leads through proxies, and its session with a position entered at 110. */
class Scene implements AsyncDisposable {
  readonly tape: Tape;
  readonly view: TradingView;
  readonly agent: TestAgent;
  readonly name: string;
  readonly cables: readonly TcpProxy[];

  private constructor(name: string, agent: TestAgent, cables: readonly TcpProxy[], tape: Tape, view: TradingView) {
    this.name = name;
    this.agent = agent;
    this.cables = cables;
    this.tape = tape;
    this.view = view;
  }

  static async start(name: string): Promise<Scene> {
    const { stack } = trading;
    const [stream, gateway] = await Promise.all(
      [stack.linkUrls[0] ?? '', stack.gatewayUrl].map((url) => TcpProxy.start(Number(new URL(url).port))),
    );
    if (stream === undefined || gateway === undefined) throw new Error('there are two ways to the platform');
    const agent = await stack.startAgent({
      credentials: await stack.createExecutor(name),
      linkUrls: [stream.url],
      gatewayUrl: gateway.url,
    });
    await online(stack, name);
    const symbol = `${name.toUpperCase()}_USDT`;
    const tape = await Tape.start(trading, symbol, 100);
    const session = await trading.startSession('trader', symbol, {
      executor: name,
      disconnectPolicy: DisconnectPolicy.FLATTEN,
      disconnectAfter: durationFromMs(FLATTEN_AFTER_MS),
    });
    await tape.play([...flat(110, 2), ...flat(105)]);
    const view = new TradingView(trading, session.id, name);
    await view.position('trader', PositionState.OPEN);
    await view.instance('trader', InstanceState.POSITION_ACTIVE);
    return new Scene(name, agent, [stream, gateway], tape, view);
  }

  /** Waits for the agent itself to have acted, while the platform has not heard of it. */
  async flattened(): Promise<void> {
    const said = 'disconnect policy carried out';
    await until(() => logLines(this.agent, said).length === 1, 'the agent has acted', ACTED_WITHIN_MS);
    expect((await this.view.positions()).map(({ state }) => state)).not.toContain(PositionState.CLOSED);
  }

  heal(): void {
    for (const cable of this.cables) cable.heal();
  }

  /** What the venue did by itself, each closing as one line. */
  async closings(): Promise<string[]> {
    const request = { executor: this.name, fromStart: true };
    const events = await collectVenueEvents(trading.stack, request, (seen) =>
      seen.some(({ event }) => event?.event.case === 'disconnectPolicyApplied'),
    );
    return closings(events.flatMap(({ event }) => event ?? []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.kill();
    for (const cable of this.cables) await cable[Symbol.asyncDispose]();
  }
}

const TRADE = [
  'MONITORING > SIGNAL_DETECTED s1_signal conditions_met',
  'SIGNAL_DETECTED > ENTRY_EVALUATION z1_entry conditions_met',
  'ENTRY_EVALUATION > POSITION_ACTIVE venue filled',
  'POSITION_ACTIVE > EXITED session disconnect',
  'EXITED > MONITORING session exited',
];

describe.concurrent('an agent that loses the platform under FLATTEN leaves its position by itself', () => {
  test('without a word from the cable: closed once, told on return, and the instance watches again', async () => {
    await using scene = await Scene.start('silent');
    const { view } = scene;
    for (const cable of scene.cables) cable.blackhole('both');
    await scene.flattened();
    scene.heal();
    expect(await view.position('trader', PositionState.CLOSED)).toMatchObject({
      exitReason: 'disconnect',
      exitPrice: '105',
      closeCommandId: '',
    });
    await view.instance('trader', InstanceState.MONITORING);
    expect(await scene.closings()).toEqual([`${PositionCloseReason.DISCONNECT} at 105`]);
    expect(await view.story('trader', (lines) => lines.length >= TRADE.length)).toEqual(TRADE);
    expect(await view.commands('close_position')).toEqual([]);
    expect(await view.held()).toEqual([]);
    expect(await view.positions()).toHaveLength(1);
  });

  test('an exit that was decided meanwhile finds it closed, and closes nothing a second time', async () => {
    await using scene = await Scene.start('decided');
    const { view, tape } = scene;
    for (const cable of scene.cables) cable.refuse();
    await tape.play([{ close: 250 }, ...flat(105)]);
    await until(
      async () => (await view.commands('close_position')).length === 1,
      'the exit waits for the agent',
      30_000,
    );
    await scene.flattened();
    scene.heal();
    const position = await view.position('trader', PositionState.CLOSED);
    expect(position).toMatchObject({ exitReason: 'disconnect', exitPrice: '105' });
    const [exit] = await until(async () => {
      const commands = await view.commands('close_position');
      return commands.every(({ finishTime }) => finishTime !== undefined) && commands;
    }, 'the exit is answered');
    expect(exit).toMatchObject({
      state: CommandState.SUCCEEDED,
      result: { alreadyClosed: { reason: PositionCloseReason.DISCONNECT }, fills: [{ price: '105' }] },
    });
    await view.instance('trader', InstanceState.MONITORING);
    expect(await scene.closings()).toEqual([`${PositionCloseReason.DISCONNECT} at 105`]);
    const story = await view.story('trader', (lines) => lines.some((line) => line.startsWith('EXITED')));
    expect(story.filter((line) => line.startsWith('POSITION_ACTIVE'))).toEqual([TRADE[3]]);
    expect(await view.commands('close_position')).toHaveLength(1);
    expect(await view.held()).toEqual([]);
  });
});
