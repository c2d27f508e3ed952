import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  AlertRule,
  AlertSchema,
  AlertState,
  type Alert as WireAlert,
} from '../../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import type { Alert } from '../domain/alert.ts';

/** The alert as callers see it. */
export function alertToProto(alert: Alert): WireAlert {
  const { rule, subject, state, sentence, next, fireMs, seenMs, recoverMs } = alert;
  return create(AlertSchema, {
    rule: AlertRule[rule],
    subject,
    state: AlertState[state],
    sentence,
    next,
    fireTime: timestampFromMs(fireMs),
    seenTime: timestampFromMs(seenMs),
    ...(recoverMs === null ? {} : { recoverTime: timestampFromMs(recoverMs) }),
  });
}
