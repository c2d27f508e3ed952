import type { Definition } from './definition.ts';

/** Names of the JSON form, object by object, as it is exported; snake_case and camelCase are both read. */
export const FIELDS = {
  strategy: [
    'strategy_name',
    'description',
    's1_signal',
    'z1_entry',
    'ze1_close',
    'o1_cancel',
    'emergency_exit',
    'global_limits',
  ],
  condition: ['id', 'indicatorId', 'operator', 'value'],
  s1_signal: ['conditions'],
  z1_entry: ['conditions', 'positionSize', 'stopLoss', 'takeProfit', 'leverage'],
  ze1_close: ['conditions'],
  o1_cancel: ['timeoutSeconds', 'cooldownMinutes', 'conditions'],
  emergency_exit: ['conditions', 'cooldownMinutes', 'actions'],
  global_limits: ['base_position_pct', 'max_leverage', 'stop_loss_buffer_pct'],
  positionSize: ['type', 'value'],
  exitOffset: ['enabled', 'offsetPercent'],
  actions: ['cancelPending', 'closePosition'],
} as const;

/** A strategy in the JSON form, as a plain value whose keys stand in a fixed order. */
export function toJsonForm(definition: Definition): Record<string, unknown> {
  const { s1Signal, z1Entry, ze1Close, o1Cancel, emergencyExit, globalLimits } = definition;
  return {
    strategy_name: definition.strategyName,
    ...present({ description: definition.description }),
    s1_signal: { conditions: s1Signal.conditions.map(conditionForm) },
    z1_entry: {
      conditions: z1Entry.conditions.map(conditionForm),
      ...present({
        positionSize: z1Entry.positionSize && { type: z1Entry.positionSize.type, value: z1Entry.positionSize.value },
        stopLoss: z1Entry.stopLoss && offsetForm(z1Entry.stopLoss),
        takeProfit: z1Entry.takeProfit && offsetForm(z1Entry.takeProfit),
        leverage: z1Entry.leverage,
      }),
    },
    ze1_close: { conditions: ze1Close.conditions.map(conditionForm) },
    o1_cancel: {
      ...present({ timeoutSeconds: o1Cancel.timeoutSeconds, cooldownMinutes: o1Cancel.cooldownMinutes }),
      conditions: o1Cancel.conditions.map(conditionForm),
    },
    emergency_exit: {
      conditions: emergencyExit.conditions.map(conditionForm),
      ...present({
        cooldownMinutes: emergencyExit.cooldownMinutes,
        actions: emergencyExit.actions && {
          cancelPending: emergencyExit.actions.cancelPending,
          closePosition: emergencyExit.actions.closePosition,
        },
      }),
    },
    global_limits: present({
      base_position_pct: globalLimits.basePositionPct,
      max_leverage: globalLimits.maxLeverage,
      stop_loss_buffer_pct: globalLimits.stopLossBufferPct,
    }),
  };
}

/** The JSON form as text: equal texts are equal definitions. */
export function toJsonText(definition: Definition): string {
  return JSON.stringify(toJsonForm(definition));
}

function conditionForm({ id, indicatorId, operator, value }: Definition['s1Signal']['conditions'][number]) {
  return { id, indicatorId, operator, value };
}

function offsetForm({ enabled, offsetPercent }: { readonly enabled: boolean; readonly offsetPercent: number }) {
  return { enabled, offsetPercent };
}

/** Without the keys that have no value. */
function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
