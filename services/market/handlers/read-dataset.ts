import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ReadDatasetRequest,
  ReadDatasetRequestSchema,
  type ReadDatasetResponse,
  ReadDatasetResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { MinuteCandles } from '../domain/minute-candles.ts';
import { readSeries } from '../series/read-series.ts';
import { eventToProto } from '../wire/event-to-proto.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';

const BATCH_EVENTS_MAX = 1_000;

export function readDataset({ datasets }: MarketHandlerDependencies) {
  return async function* (request: ReadDatasetRequest, context: HandlerContext): AsyncGenerator<ReadDatasetResponse> {
    const { accountId } = callerOf(context);
    const checks = checksOf(ReadDatasetRequestSchema, request);
    checks.text('dataset', request.dataset);
    const symbol = checks.symbol('symbol', request.symbol);
    checks.throwIfAny();
    const content = await datasets.content(accountId, request.dataset);
    if (content === undefined) throw notFound('dataset', request.dataset);
    const { events } = await readSeries(content);
    const minutes = new MinuteCandles();
    for (let at = 0; at < events.length; at += BATCH_EVENTS_MAX) {
      yield create(ReadDatasetResponseSchema, {
        events: events.slice(at, at + BATCH_EVENTS_MAX).map((event, place) => {
          const closed = event.kind === 'trade' ? minutes.add(event) : undefined;
          return eventToProto(symbol, { sequence: at + place + 1, sourceId: '', event, closed });
        }),
      });
    }
  };
}
