import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Lane, Preconditions_SessionState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type IssueCommandRequest,
  IssueCommandRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { DisconnectPolicy, SessionMode, Side } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { CommandRecord, SessionRecord } from '../domain/records.ts';

type Init = Omit<MessageInitShape<typeof IssueCommandRequestSchema>, '$typeName'>;

/** A stop is wanted however long its executor is away: so long is it kept for delivery, and no longer can be asked. */
const STOP_DELIVER_MS = 7 * 24 * 3_600_000;
/** A start that is not delivered by then has failed long ago. */
const START_DELIVER_MS = 60_000;

/**
 * The request that issues a command. The same command gives the same request whenever it is made, so that a repeat of it is
 * the same call. `session` undefined for commands that concern a whole executor.
 */
export function commandRequest(command: CommandRecord, session: SessionRecord | undefined): IssueCommandRequest {
  return create(IssueCommandRequestSchema, {
    executor: command.executorId,
    requestId: command.requestId,
    ...bodyOf(command, session),
  });
}

function bodyOf({ wish, sessionId }: CommandRecord, session: SessionRecord | undefined): Init {
  const stopDeadlines = { deliverWithin: durationFromMs(STOP_DELIVER_MS) };
  const startDeadlines = { deliverWithin: durationFromMs(START_DELIVER_MS) };
  const target = { sessionId: sessionId ?? '' };
  switch (wish.type) {
    case 'START_SESSION':
      return {
        kind: { case: 'startSession', value: { ...target, ...moneyOf(session), symbols: [...wish.symbols] } },
        deadlines: startDeadlines,
      };
    case 'START_STRATEGY': {
      const { strategyId, symbol, revision } = wish;
      const value = { ...target, strategyId, symbol, strategyRevision: BigInt(revision) };
      return { kind: { case: 'startStrategy', value }, deadlines: startDeadlines };
    }
    case 'STOP_STRATEGY': {
      const { strategyId, symbol, closePositions } = wish;
      const value = { ...target, strategyId, symbol, closePositions };
      return { kind: { case: 'stopStrategy', value }, deadlines: stopDeadlines };
    }
    case 'STOP_SESSION':
      return {
        kind: { case: 'stopSession', value: { ...target, closePositions: wish.closePositions } },
        deadlines: stopDeadlines,
        ...(wish.critical ? { lane: Lane.CRITICAL } : {}),
      };
    case 'STOP_ALL':
      return {
        kind: { case: 'stopAll', value: { closePositions: wish.closePositions } },
        deadlines: stopDeadlines,
        lane: Lane.CRITICAL,
      };
    case 'PAUSE':
      return { kind: { case: 'pause', value: target } };
    case 'RESUME':
      return { kind: { case: 'resume', value: target } };
    case 'OPEN_POSITION':
      return openPosition(wish, target);
    case 'CLOSE_POSITION': {
      const { strategyId, symbol, referencePrice, referenceTimeMs } = wish;
      const referenceTime = referenceTimeMs === null ? {} : { referenceTime: timestampFromMs(referenceTimeMs) };
      return {
        kind: { case: 'closePosition', value: { ...target, strategyId, symbol, referencePrice, ...referenceTime } },
      };
    }
    case 'CANCEL_ORDERS': {
      const { strategyId, symbol } = wish;
      return { kind: { case: 'cancelOrders', value: { ...target, strategyId, symbol } } };
    }
    case 'GET_STATUS':
      return { kind: { case: 'getStatus', value: {} }, notAfter: timestampFromMs(wish.notAfterMs) };
    default:
      throw new Error(`no command says ${JSON.stringify(wish satisfies never)}`);
  }
}

function openPosition(
  wish: Extract<CommandRecord['wish'], { type: 'OPEN_POSITION' }>,
  target: { readonly sessionId: string },
): Init {
  const { strategyId, symbol, quantity, referencePrice, stopLossPrice, takeProfitPrice, leverage, revision } = wish;
  return {
    kind: {
      case: 'openPosition',
      value: {
        ...target,
        strategyId,
        symbol,
        side: Side.BUY,
        quantity,
        referencePrice,
        referenceTime: timestampFromMs(wish.referenceTimeMs),
        stopLossPrice,
        takeProfitPrice,
        leverage,
      },
    },
    notAfter: timestampFromMs(wish.notAfterMs),
    preconditions: { sessionState: Preconditions_SessionState.ACTIVE, strategyRevision: BigInt(revision) },
  };
}

function moneyOf(session: SessionRecord | undefined) {
  if (session === undefined) throw new Error('a session is started without a session');
  const { mode, initialBalance, disconnectPolicy, disconnectAfterMs } = session;
  return {
    mode: SessionMode[mode],
    initialBalance,
    disconnectPolicy: DisconnectPolicy[disconnectPolicy],
    ...(disconnectPolicy === 'FLATTEN' ? { disconnectAfter: durationFromMs(disconnectAfterMs) } : {}),
  };
}
