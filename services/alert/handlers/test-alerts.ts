import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { v7 as uuid } from 'uuid';
import {
  type TestAlertsRequest,
  TestAlertsRequestSchema,
  type TestAlertsResponse,
  type TestAlertsResponse_Delivery,
  TestAlertsResponse_DeliverySchema,
} from '../../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { messageOf, StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { refuseUnknownFields } from '../../platform/grpc/parse.ts';
import type { NoticeChannel } from '../delivery/channel.ts';
import type { Notice } from '../domain/alert.ts';
import type { AlertHandlerDependencies } from './dependencies.ts';

export function testAlerts({ channels, clock }: AlertHandlerDependencies) {
  return async (
    request: TestAlertsRequest,
    context: HandlerContext,
  ): Promise<Pick<TestAlertsResponse, 'deliveries'>> => {
    const { accountId } = callerOf(context);
    refuseUnknownFields(TestAlertsRequestSchema, request);
    if (channels.length === 0) {
      throw new StatusError(
        'FailedPrecondition',
        'ALERT_CHANNELS_MISSING',
        'no channel is configured: set STRATEGOS_ALERT_WEBHOOK_URL, or STRATEGOS_ALERT_SMTP_URL with _EMAIL_FROM and _EMAIL_TO, and start the alert service again',
        { metadata: { settings: 'STRATEGOS_ALERT_WEBHOOK_URL,STRATEGOS_ALERT_SMTP_URL' } },
      );
    }
    return { deliveries: await Promise.all(channels.map((channel) => tried(channel, accountId, clock.nowMs()))) };
  };
}

async function tried(channel: NoticeChannel, accountId: string, nowMs: number): Promise<TestAlertsResponse_Delivery> {
  const notice: Notice = {
    id: uuid(),
    channel: channel.name,
    kind: 'TEST',
    accountId,
    rule: 'TEST',
    subject: 'notices',
    occurrence: 1,
    sentence: 'somebody asked for this notice to see whether notices arrive; nothing is wrong',
    next: '',
    fireMs: nowMs,
    createMs: nowMs,
    attempt: 0,
  };
  const outcome = { channel: channel.name, delivered: true, error: '' };
  try {
    await channel.send([notice]);
    return create(TestAlertsResponse_DeliverySchema, outcome);
  } catch (thrown) {
    return create(TestAlertsResponse_DeliverySchema, { ...outcome, delivered: false, error: messageOf(thrown) });
  }
}
