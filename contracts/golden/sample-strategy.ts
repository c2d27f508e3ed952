import type { Condition, Definition } from '../../services/strategy/domain/definition.ts';

function conditions(id: string, operator: Condition['operator'], value: number): Condition[] {
  return [{ id, indicatorId: 'rsi_14', operator, value }];
}

/** A strategy in which every field is set, and to something that is there in JSON: so that nothing of it can be lost unseen. */
export const SAMPLE_STRATEGY: Definition = {
  strategyName: 'dip',
  description: 'buys what fell',
  s1Signal: { conditions: conditions('signal-1', '<', 30.5) },
  z1Entry: {
    conditions: conditions('entry-1', '>=', 31.5),
    positionSize: { type: 'percentage', value: 2.5 },
    stopLoss: { enabled: true, offsetPercent: 1.5 },
    takeProfit: { enabled: true, offsetPercent: 3.5 },
    leverage: 2.5,
  },
  ze1Close: { conditions: conditions('close-1', '>', 70.5) },
  o1Cancel: { conditions: conditions('cancel-1', '<=', 20.5), timeoutSeconds: 90.5, cooldownMinutes: 5.5 },
  emergencyExit: {
    conditions: conditions('emergency-1', '<', 10.5),
    cooldownMinutes: 60.5,
    actions: { cancelPending: true, closePosition: true },
  },
  globalLimits: { basePositionPct: 0.25, maxLeverage: 10.5, stopLossBufferPct: 12.5 },
};
