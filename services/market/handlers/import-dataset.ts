import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ImportDatasetRequest,
  ImportDatasetRequestSchema,
  type ImportDatasetResponse,
  ImportDatasetResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { invalidFields, StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { priceText } from '../domain/market-event.ts';
import { readSeries, type Series, SeriesError } from '../series/read-series.ts';
import { checksOf } from '../wire/field-checks.ts';
import { DATASET_NAME_PATTERN, DATASET_NAME_RULE } from '../wire/source-kind.ts';
import { datasetToProto } from '../wire/source-to-proto.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';

export const CONTENT_BYTES_MAX = 8 * 1_048_576;

const compress = promisify(gzip);

export function importDataset({ datasets }: MarketHandlerDependencies) {
  return async (request: ImportDatasetRequest, context: HandlerContext): Promise<ImportDatasetResponse> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ImportDatasetRequestSchema, request);
    const { name, content } = request;
    if (name === '') checks.add('name', 'is required');
    else if (!DATASET_NAME_PATTERN.test(name)) checks.add('name', DATASET_NAME_RULE);
    if (content.length === 0) checks.add('content', 'is required: a CSV or gzipped CSV');
    else if (content.length > CONTENT_BYTES_MAX) {
      checks.add(
        'content',
        `must have at most ${CONTENT_BYTES_MAX} bytes, has ${content.length}; compress or split it`,
      );
    }
    checks.throwIfAny();
    const series = await read(content);
    const [first, last] = [series.events[0], series.events.at(-1)];
    if (first === undefined || last === undefined) throw new Error('a series without events was read');
    const { form, rows, intervalMs, stats, contentDigest } = series;
    const dataset = {
      name,
      form,
      rows,
      intervalMs,
      firstTimeMs: first.timeMs,
      lastTimeMs: last.timeMs,
      lastPrice: priceText(last),
      stats,
      contentDigest,
    };
    const gzipped = content[0] === 0x1f && content[1] === 0x8b;
    const stored = await datasets.add(accountId, dataset, gzipped ? content : await compress(content));
    if (stored.contentDigest !== contentDigest) {
      throw new StatusError(
        'AlreadyExists',
        'DATASET_DIFFERS',
        `the dataset "${name}" holds other content, and datasets do not change; take another name`,
        { metadata: { name } },
      );
    }
    return create(ImportDatasetResponseSchema, { dataset: datasetToProto(stored) });
  };
}

async function read(content: Uint8Array): Promise<Series> {
  try {
    return await readSeries(content);
  } catch (thrown) {
    if (thrown instanceof SeriesError) throw invalidFields([{ field: 'content', description: thrown.message }]);
    throw thrown;
  }
}
