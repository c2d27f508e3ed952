/** A sound strategy in the JSON form, with parts of it replaced. */
export function strategyForm(name: string, parts: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    strategy_name: name,
    s1_signal: { conditions: [{ id: 'cond1', indicatorId: 'pump_magnitude_pct', operator: '>=', value: 5 }] },
    z1_entry: {
      conditions: [{ id: 'entry1', indicatorId: 'rsi_14', operator: '<', value: 70 }],
      positionSize: { type: 'percentage', value: 2 },
      stopLoss: { enabled: true, offsetPercent: 5 },
      takeProfit: { enabled: true, offsetPercent: 10 },
    },
    ze1_close: { conditions: [] },
    o1_cancel: { timeoutSeconds: 300, conditions: [] },
    emergency_exit: {
      conditions: [],
      cooldownMinutes: 30,
      actions: { cancelPending: true, closePosition: true },
    },
    global_limits: { base_position_pct: 0.02, max_leverage: 3, stop_loss_buffer_pct: 10 },
    ...parts,
  };
}

export function strategyJson(name: string, parts: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify(strategyForm(name, parts));
}

/** As `strategyJson`, with another threshold of its signal. */
export function strategyJsonWith(name: string, threshold: number): string {
  const conditions = [{ id: 'cond1', indicatorId: 'pump_magnitude_pct', operator: '>=', value: threshold }];
  return strategyJson(name, { s1_signal: { conditions } });
}
