import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type DeadlineSpans, DeadlineSpansSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { SessionMode, Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import type { Wish } from './recorder.ts';

/** Commands as tests ask for them. */
export function ping(payload = 'test'): Wish {
  return { kind: { case: 'ping', value: { payload } } };
}

export function startSession(sessionId: string): Wish {
  return { kind: { case: 'startSession', value: { sessionId, mode: SessionMode.PAPER } } };
}

export function stopSession(sessionId: string): Wish {
  return { kind: { case: 'stopSession', value: { sessionId, closePositions: true } } };
}

export function startStrategy(sessionId: string, strategyId: string, symbol: string): Wish {
  return { kind: { case: 'startStrategy', value: { sessionId, strategyId, symbol } } };
}

export function stopStrategy(sessionId: string, strategyId: string, symbol: string): Wish {
  return { kind: { case: 'stopStrategy', value: { sessionId, strategyId, symbol } } };
}

export function openPosition(sessionId: string, strategyId: string, symbol: string): Wish {
  const side = Side.BUY;
  return { kind: { case: 'openPosition', value: { sessionId, strategyId, symbol, side, quantity: '1' } } };
}

export function closePosition(sessionId: string, strategyId: string, symbol: string): Wish {
  return { kind: { case: 'closePosition', value: { sessionId, strategyId, symbol } } };
}

export function stopAll(): Wish {
  return { kind: { case: 'stopAll', value: { closePositions: true } } };
}

/** Deadlines in milliseconds; those that are not named keep the kind's defaults. */
export function deadlines(spans: {
  readonly deliverMs?: number;
  readonly receiveMs?: number;
  readonly startMs?: number;
  readonly progressMs?: number;
  readonly finishMs?: number;
}): { readonly deadlines: DeadlineSpans } {
  const { deliverMs, receiveMs, startMs, progressMs, finishMs } = spans;
  return {
    deadlines: create(DeadlineSpansSchema, {
      ...(deliverMs === undefined ? {} : { deliverWithin: durationFromMs(deliverMs) }),
      ...(receiveMs === undefined ? {} : { receiveWithin: durationFromMs(receiveMs) }),
      ...(startMs === undefined ? {} : { startWithin: durationFromMs(startMs) }),
      ...(progressMs === undefined ? {} : { progressWithin: durationFromMs(progressMs) }),
      ...(finishMs === undefined ? {} : { finishWithin: durationFromMs(finishMs) }),
    }),
  };
}

export function getStatus(): Wish {
  return { kind: { case: 'getStatus', value: {} } };
}

export function pauseSession(sessionId: string): Wish {
  return { kind: { case: 'pause', value: { sessionId } } };
}

export function resumeSession(sessionId: string): Wish {
  return { kind: { case: 'resume', value: { sessionId } } };
}

export function cancelOrders(sessionId: string): Wish {
  return { kind: { case: 'cancelOrders', value: { sessionId } } };
}
