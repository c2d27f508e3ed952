import type { Registry } from 'prom-client';
import { AlertRule } from '../../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { Verdict } from '../../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import { CALL, completeness, type Part, part, seconds, word } from './part.ts';

const ALERTS_MAX = 1_000;

const ALERT_GAUGES = {
  alert_firing: ['1 for each alert that fires', 'rule', 'subject'],
  alerts_complete: [`1 when these are all that fire, 0 when there may be more than these ${ALERTS_MAX}`],
  alert_look_seconds: ['When the rules were last looked at, in Unix time: old means that nobody watches'],
} as const;

/** What the platform itself found wrong. */
export function alertPart(registry: Registry): Part {
  return part(registry, 'alerts', ALERT_GAUGES, async ({ alerts }) => {
    const { alerts: firing, lookTime } = await alerts.listAlerts({ firingOnly: true, pageSize: ALERTS_MAX }, CALL);
    return {
      alert_firing: firing.map(({ rule, subject }) => ({
        labels: { rule: word(AlertRule[rule]), subject },
        value: 1,
      })),
      alerts_complete: completeness(firing.length < ALERTS_MAX),
      alert_look_seconds: [{ labels: {}, value: seconds(lookTime) }],
    };
  });
}

const CHECK_GAUGES = {
  check_fault: [
    "1 for each of the doctor's checks inside the platform that finds a fault, 0 where it finds none",
    'check',
  ],
} as const;

/** What the platform needs: the database, NATS and its own services. */
export function checkPart(registry: Registry): Part {
  return part(registry, 'checks', CHECK_GAUGES, async ({ diagnostics }) => {
    const { checks } = await diagnostics.diagnose({}, CALL);
    return {
      check_fault: checks
        .filter(({ verdict }) => verdict !== Verdict.SKIPPED)
        .map(({ name, verdict }) => ({ labels: { check: name }, value: Number(verdict === Verdict.FAULT) })),
    };
  });
}
