import type { Command, ExecutorStatus } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { type Evaluation, InstanceState, Section } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { type Position, PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import type { TradingStack } from '../harness/trading.ts';
import { until } from '../harness/until.ts';
import { ended } from './observe.ts';

const SEEN_WITHIN_MS = 60_000;

/** What can be seen of one session from outside. */
export class TradingView {
  readonly #trading: TradingStack;
  readonly #sessionId: string;
  readonly #executor: string;

  constructor(trading: TradingStack, sessionId: string, executor = 'paper-1') {
    this.#trading = trading;
    this.#sessionId = sessionId;
    this.#executor = executor;
  }

  /** All positions, the oldest first. */
  async positions(): Promise<Position[]> {
    const { positions } = await this.#trading.sessions.listPositions({ sessionId: this.#sessionId });
    return positions.toReversed();
  }

  /** Waits for a strategy's newest position to be in a state. */
  position(strategy: string, state: PositionState): Promise<Position> {
    return until(
      async () => {
        const newest = (await this.positions()).findLast(({ strategyName }) => strategyName === strategy);
        return newest?.state === state && newest;
      },
      `the position of ${strategy} is ${PositionState[state]}`,
      SEEN_WITHIN_MS,
    );
  }

  /** Waits for an instance to be in a state. */
  async instance(strategy: string, state: InstanceState): Promise<void> {
    await until(
      async () => {
        const { instances } = await this.#trading.instances.listInstances({ sessionId: this.#sessionId });
        return instances.find(({ strategyName }) => strategyName === strategy)?.state === state;
      },
      `the instance of ${strategy} is ${InstanceState[state]}`,
      SEEN_WITHIN_MS,
    );
  }

  /** Waits for the answer to "why did it not trade?" to hold this. */
  async explained(strategy: string, symbol: string, words: string): Promise<void> {
    const request = { sessionId: this.#sessionId, strategy, symbol };
    await until(
      async () => (await this.#trading.instances.explainInstance(request)).sentence.includes(words),
      `${strategy} is explained by "${words}"`,
      SEEN_WITHIN_MS,
    );
  }

  /** What a strategy decided, and what was held back, until `enough`; each as one line. */
  async story(strategy: string, enough: (lines: readonly string[]) => boolean): Promise<string[]> {
    const lines: string[] = [];
    const signal = AbortSignal.timeout(SEEN_WITHIN_MS);
    const request = { sessionId: this.#sessionId, fromStart: true };
    for await (const { evaluation } of this.#trading.instances.watchTransitions(request, { signal })) {
      if (evaluation?.strategyName === strategy) lines.push(lineOf(evaluation));
      if (enough(lines)) break;
    }
    return lines;
  }

  /** Commands of a kind for this session's executor, such as "close_position". */
  async commands(kind: string): Promise<Command[]> {
    const client = this.#trading.stack.replicaCommandClient(0);
    const filter = { kinds: [kind], executor: this.#executor };
    const { commands } = await client.listCommands({ filter, pageSize: 1_000 });
    return commands.filter((command) => sessionOf(command) === this.#sessionId);
  }

  /** What the executor itself says that it holds for the session. */
  async held(): Promise<ExecutorStatus['positions']> {
    const status = await this.status();
    return status.positions.filter(({ sessionId }) => sessionId === this.#sessionId);
  }

  async status(): Promise<ExecutorStatus> {
    const client = this.#trading.stack.replicaCommandClient(0);
    const kind = { case: 'getStatus', value: {} } as const;
    const { command } = await client.issueCommand({ executor: this.#executor, kind });
    const answered = await ended(client, command?.id ?? '', SEEN_WITHIN_MS);
    if (answered.state !== CommandState.SUCCEEDED || answered.result?.status === undefined) {
      throw new Error(`the executor's status ended ${CommandState[answered.state]}`);
    }
    return answered.result.status;
  }
}

function sessionOf({ kind }: Command): string | undefined {
  return kind.value !== undefined && 'sessionId' in kind.value ? kind.value.sessionId : undefined;
}

/** "MONITORING > SIGNAL_DETECTED s1_signal conditions_met"; "held back" for one that did not happen. */
function lineOf({ fromState, toState, section, reason, blocked }: Evaluation): string {
  const move = blocked
    ? `${InstanceState[fromState]} held back`
    : `${InstanceState[fromState]} > ${InstanceState[toState]}`;
  return `${move} ${Section[section]?.toLowerCase()} ${reason}`;
}
