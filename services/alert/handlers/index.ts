import type { ServiceImpl } from '@connectrpc/connect';
import type { AlertService } from '../../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import type { AlertHandlerDependencies } from './dependencies.ts';
import { listAlerts } from './list-alerts.ts';
import { testAlerts } from './test-alerts.ts';

export function alertHandlers(deps: AlertHandlerDependencies): ServiceImpl<typeof AlertService> {
  return {
    listAlerts: listAlerts(deps),
    testAlerts: testAlerts(deps),
  };
}
