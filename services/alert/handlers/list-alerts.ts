import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListAlertsRequest,
  ListAlertsRequestSchema,
  type ListAlertsResponse,
} from '../../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { invalidFields } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';
import { alertToProto } from '../wire/alert-to-proto.ts';
import type { AlertHandlerDependencies } from './dependencies.ts';

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;

export function listAlerts({ book, channels }: AlertHandlerDependencies) {
  return async (
    request: ListAlertsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListAlertsResponse, 'alerts' | 'channels' | 'lookTime'>> => {
    const { accountId } = callerOf(context);
    const { firingOnly, pageSize } = request;
    const violations = unknownFields(ListAlertsRequestSchema, request);
    if (pageSize < 0 || pageSize > PAGE_SIZE_MAX) {
      violations.push({ field: 'page_size', description: `must be between 0 and ${PAGE_SIZE_MAX}, got ${pageSize}` });
    }
    if (violations.length > 0) throw invalidFields(violations);
    const max = pageSize === 0 ? PAGE_SIZE_DEFAULT : pageSize;
    const [alerts, lookMs] = await Promise.all([book.list(accountId, { firingOnly, max }), book.lookMs()]);
    return {
      alerts: alerts.map(alertToProto),
      channels: channels.map(({ name }) => name),
      ...(lookMs === null ? {} : { lookTime: timestampFromMs(lookMs) }),
    };
  };
}
