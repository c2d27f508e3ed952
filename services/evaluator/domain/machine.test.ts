import { describe, expect, test } from 'vitest';
import { compileStrategy } from './compiled-strategy.ts';
import type { Gate, OutcomeRecord, Step } from './instance.ts';
import { InstanceMachine } from './instance-machine.ts';
import type { StrategyRules } from './strategy-rules.ts';

/** Each section is switched by an indicator of its own: at 1 its conditions hold. */
const IDS = ['s1', 'o1', 'z1', 'ze1', 'e1'] as const;
type Switch = (typeof IDS)[number];

function when(indicatorId: Switch) {
  return { conditions: [{ id: indicatorId, indicatorId, operator: '>=' as const, value: 1 }] };
}

function strategy(more: Partial<StrategyRules> = {}): StrategyRules {
  return {
    strategyName: 'switched',
    s1Signal: when('s1'),
    o1Cancel: { ...when('o1'), timeoutSeconds: 120, cooldownMinutes: 5 },
    z1Entry: when('z1'),
    ze1Close: when('ze1'),
    emergencyExit: { ...when('e1'), cooldownMinutes: 30 },
    ...more,
  };
}

/** A machine that is fed an event a minute and says in short what it did. */
class Scene {
  readonly machine: InstanceMachine;
  minute = 0;
  asked: string[] = [];

  constructor(rules: StrategyRules = strategy(), pinned = false) {
    const compiled = compileStrategy(rules);
    this.machine = new InstanceMachine({ instanceId: 'i', strategy: compiled, revision: 1, indicatorIds: IDS, pinned });
  }

  /** The next minute's event, with these sections' conditions holding. */
  at(switches: readonly Switch[], gate: Gate = ''): string[] {
    this.minute += 1;
    const values = Float64Array.from(IDS, (id) => (switches.includes(id) ? 1 : 0));
    const event = { sequence: this.minute, timeMs: this.minute * 60_000, price: String(this.minute) };
    return this.#told(this.machine.event(event, values, gate));
  }

  clock(seconds: number): string[] {
    return this.#told(this.machine.clock(seconds * 1_000));
  }

  again(): string[] {
    const step = this.machine.exitAgain(this.minute * 60_000);
    return step === null ? [] : this.#told(step);
  }

  outcome(type: OutcomeRecord['type'], more: Partial<OutcomeRecord> = {}): string[] {
    const { entry, exit } = this.machine.data;
    const intentId = entry?.intentId ?? exit?.intentId ?? '';
    const nothing = { section: null, reason: '', message: '', price: '1', quantity: '2', timeMs: this.minute * 60_000 };
    return this.#told(this.machine.outcome({ type, intentId, ...nothing, ...more }));
  }

  /** Brings the machine into a state by the shortest way. */
  static in(state: 'SIGNAL_DETECTED' | 'ENTRY_EVALUATION' | 'POSITION_ACTIVE', rules?: StrategyRules): Scene {
    const scene = new Scene(rules);
    scene.at(['s1']);
    if (state !== 'SIGNAL_DETECTED') scene.at(['z1']);
    if (state === 'POSITION_ACTIVE') scene.outcome('OPENED');
    expect(scene.machine.data.state).toBe(state);
    scene.asked = [];
    return scene;
  }

  #told(step: Step): string[] {
    this.asked.push(...step.intents.map(({ type, section }) => `${type} ${section}`));
    return step.records.map(({ to, section, reason, timeMs, blocked }) => {
      return `${timeMs / 60_000} ${blocked ? 'blocked' : to} ${section} ${reason}`;
    });
  }
}

describe('every edge of the diagram', () => {
  test.each([
    { from: undefined, on: ['s1'], to: ['1 SIGNAL_DETECTED s1_signal conditions_met'], asks: ['SIGNAL s1_signal'] },
    {
      from: 'SIGNAL_DETECTED',
      on: ['o1'],
      to: ['2 SIGNAL_CANCELLED o1_cancel conditions_met'],
      asks: ['SIGNAL_CANCELLED o1_cancel'],
    },
    {
      from: 'SIGNAL_DETECTED',
      on: ['z1'],
      to: ['2 ENTRY_EVALUATION z1_entry conditions_met'],
      asks: ['ENTER z1_entry'],
    },
    {
      from: 'SIGNAL_DETECTED',
      on: ['e1'],
      to: ['2 EMERGENCY_EXIT emergency_exit conditions_met'],
      asks: ['SIGNAL_CANCELLED emergency_exit'],
    },
    { from: 'ENTRY_EVALUATION', on: ['e1'], to: [], asks: ['CANCEL_ENTRY emergency_exit'] },
    { from: 'POSITION_ACTIVE', on: ['ze1'], to: [], asks: ['EXIT ze1_close'] },
    { from: 'POSITION_ACTIVE', on: ['e1'], to: [], asks: ['EXIT emergency_exit'] },
  ] as const)('$from with $on', ({ from, on, to, asks }) => {
    const scene = from === undefined ? new Scene() : Scene.in(from);
    expect(scene.at(on)).toEqual(to);
    expect(scene.asked).toEqual(asks);
  });

  test.each([
    { from: 'ENTRY_EVALUATION', type: 'OPENED', more: {}, to: ['2 POSITION_ACTIVE venue filled'] },
    { from: 'ENTRY_EVALUATION', type: 'NOT_OPENED', more: {}, to: ['2 MONITORING venue rejected'] },
    { from: 'ENTRY_EVALUATION', type: 'NOT_OPENED', more: { reason: 'expired' }, to: ['2 MONITORING venue expired'] },
    {
      from: 'POSITION_ACTIVE',
      type: 'CLOSED',
      more: { intentId: '', section: 'stop_loss', reason: 'stop_loss' },
      to: ['2 EXITED stop_loss stop_loss', '2 MONITORING stop_loss exited'],
    },
    {
      from: 'POSITION_ACTIVE',
      type: 'CLOSED',
      more: { intentId: '', section: 'take_profit', reason: 'take_profit' },
      to: ['2 EXITED take_profit take_profit', '2 MONITORING take_profit exited'],
    },
    {
      from: 'POSITION_ACTIVE',
      type: 'CLOSED',
      more: { intentId: '', section: 'session', reason: 'closed_by_operator' },
      to: ['2 EXITED session closed_by_operator', '2 MONITORING session exited'],
    },
  ] as const)('$from and $type $more', ({ from, type, more, to }) => {
    expect(Scene.in(from).outcome(type, more)).toEqual(to);
  });

  test('the exit that was asked for is recorded with what decided it, when it is confirmed', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    scene.at(['ze1']);
    expect(scene.outcome('CLOSED', { section: 'venue', reason: 'filled' })).toEqual([
      '3 EXITED ze1_close conditions_met',
      '3 MONITORING ze1_close exited',
    ]);
  });

  test('so is the emergency exit, whose cooldown runs from the decision', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    scene.at(['e1']);
    scene.at([]);
    expect(scene.outcome('CLOSED', { section: 'venue' })).toEqual(['4 EMERGENCY_EXIT emergency_exit conditions_met']);
    expect(scene.clock(33 * 60 - 1)).toEqual([]);
    expect(scene.clock(33 * 60)).toEqual(['33 MONITORING cooldown cooldown_over']);
  });

  test('a stop that was hit first wins over the exit that was asked for', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    scene.at(['e1']);
    const stop = { intentId: '', section: 'stop_loss', reason: 'stop_loss' } as const;
    expect(scene.outcome('CLOSED', stop)).toEqual(['3 EXITED stop_loss stop_loss', '3 MONITORING stop_loss exited']);
    expect(scene.outcome('CLOSED', { section: 'venue' })).toEqual([]);
  });
});

test('so does a liquidation', () => {
  const scene = Scene.in('POSITION_ACTIVE');
  scene.at(['ze1']);
  const liquidation = { intentId: '', section: 'venue', reason: 'liquidation' } as const;
  expect(scene.outcome('CLOSED', liquidation)).toEqual(['3 EXITED venue liquidation', '3 MONITORING venue exited']);
});

describe('precedence', () => {
  test.each([
    { on: ['e1', 'o1', 'z1'], to: 'EMERGENCY_EXIT' },
    { on: ['o1', 'z1'], to: 'SIGNAL_CANCELLED' },
    { on: ['z1', 's1', 'ze1'], to: 'ENTRY_EVALUATION' },
  ] as const)('$on of a signal makes it $to', ({ on, to }) => {
    const scene = Scene.in('SIGNAL_DETECTED');
    scene.at(on);
    expect(scene.machine.data.state).toBe(to);
  });

  test('E1 goes before ZE1, and one exit is asked for once', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    scene.at(['e1', 'ze1']);
    scene.at(['e1', 'ze1']);
    expect(scene.asked).toEqual(['EXIT emergency_exit']);
  });

  test('a signal and an entry never come from one event', () => {
    const scene = new Scene();
    expect(scene.at(['s1', 'z1'])).toHaveLength(1);
    expect(scene.at(['s1', 'z1'])).toEqual(['2 ENTRY_EVALUATION z1_entry conditions_met']);
  });

  test('actions say where E1 is looked at', () => {
    const rules = strategy();
    const without = (actions: { cancelPending: boolean; closePosition: boolean }): StrategyRules => ({
      ...rules,
      emergencyExit: { conditions: [], ...rules.emergencyExit, actions },
    });
    const pending = Scene.in('SIGNAL_DETECTED', without({ cancelPending: false, closePosition: true }));
    expect(pending.at(['e1'])).toEqual([]);
    const open = Scene.in('POSITION_ACTIVE', without({ cancelPending: true, closePosition: false }));
    open.at(['e1']);
    expect(open.asked).toEqual([]);
  });
});

describe('timers', () => {
  test('a timeout before an event has its own time; one at its time is a decision of it, before Z1', () => {
    const late = Scene.in('SIGNAL_DETECTED');
    late.minute = 3;
    expect(late.at(['z1'])).toEqual(['3 SIGNAL_CANCELLED o1_cancel timeout']);
    const same = Scene.in('SIGNAL_DETECTED');
    same.minute = 2;
    expect(same.at(['z1'])).toEqual(['3 SIGNAL_CANCELLED o1_cancel timeout']);
    const emergency = Scene.in('SIGNAL_DETECTED');
    emergency.minute = 2;
    expect(emergency.at(['e1'])).toEqual(['3 EMERGENCY_EXIT emergency_exit conditions_met']);
  });

  test('the clock gives the same as the next event would', () => {
    const clocked = Scene.in('SIGNAL_DETECTED');
    expect(clocked.clock(180)).toEqual([]);
    expect(clocked.clock(181)).toEqual(['3 SIGNAL_CANCELLED o1_cancel timeout']);
  });

  test('a cooldown that ends with an event is over before its conditions are looked at', () => {
    const scene = Scene.in('SIGNAL_DETECTED');
    scene.at(['o1']);
    scene.minute = 5;
    expect(scene.at(['s1'])).toEqual([]);
    expect(scene.at(['s1'])).toEqual([
      '7 MONITORING cooldown cooldown_over',
      '7 SIGNAL_DETECTED s1_signal conditions_met',
    ]);
  });

  test('timeout and cooldown may both fall due before an event', () => {
    const scene = Scene.in('SIGNAL_DETECTED');
    scene.minute = 20;
    expect(scene.at(['s1'])).toEqual([
      '3 SIGNAL_CANCELLED o1_cancel timeout',
      '8 MONITORING cooldown cooldown_over',
      '21 SIGNAL_DETECTED s1_signal conditions_met',
    ]);
  });

  test('without a cooldown it is back at once, and decides nothing more at that event', () => {
    const scene = Scene.in('SIGNAL_DETECTED', strategy({ o1Cancel: { conditions: [], timeoutSeconds: 60 } }));
    expect(scene.at(['s1'])).toEqual(['2 SIGNAL_CANCELLED o1_cancel timeout', '2 MONITORING cooldown cooldown_over']);
    expect(scene.at(['s1'])).toEqual(['3 SIGNAL_DETECTED s1_signal conditions_met']);
  });
});

describe('what the venue says', () => {
  test('an entry that was to be cancelled and was filled is closed at once', () => {
    const scene = Scene.in('ENTRY_EVALUATION');
    scene.at(['e1']);
    expect(scene.outcome('OPENED')).toEqual(['3 POSITION_ACTIVE venue filled']);
    expect(scene.asked).toEqual(['CANCEL_ENTRY emergency_exit', 'EXIT emergency_exit']);
    expect(scene.outcome('CLOSED', { section: 'venue' })).toEqual(['3 EMERGENCY_EXIT emergency_exit conditions_met']);
  });

  test('one that was cancelled is an emergency exit', () => {
    const scene = Scene.in('ENTRY_EVALUATION');
    scene.at(['e1']);
    expect(scene.outcome('NOT_OPENED')).toEqual(['3 EMERGENCY_EXIT emergency_exit conditions_met']);
  });

  test('an exit that failed is recorded and asked for again, under another id', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    scene.at(['ze1']);
    const first = scene.machine.data.exit?.intentId;
    expect(scene.outcome('NOT_CLOSED', { message: 'market closed' })).toEqual(['3 blocked ze1_close exit_failed']);
    expect(scene.at(['e1', 'ze1'])).toEqual([]);
    scene.again();
    expect(scene.again()).toEqual([]);
    expect(scene.asked).toEqual(['EXIT ze1_close', 'EXIT ze1_close']);
    expect(scene.machine.data.exit?.intentId).not.toBe(first);
    expect(scene.outcome('CLOSED', { section: 'venue' })[0]).toBe('4 EXITED ze1_close conditions_met');
  });

  test('after a stop, signals are looked at from the next event on', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    const stop = { intentId: '', section: 'stop_loss', reason: 'stop_loss', sequence: 3, timeMs: 180_000 } as const;
    scene.outcome('CLOSED', stop);
    expect(scene.at(['s1'])).toEqual([]);
    expect(scene.at(['s1'])).toEqual(['4 SIGNAL_DETECTED s1_signal conditions_met']);
  });

  test('a stop that is told late does not silence the event that has been looked at', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    scene.at([]);
    scene.outcome('CLOSED', { intentId: '', section: 'stop_loss', reason: 'stop_loss' });
    expect(scene.at(['s1'])).toEqual(['4 SIGNAL_DETECTED s1_signal conditions_met']);
  });

  test('repeats and words about what is over change nothing', () => {
    const scene = Scene.in('POSITION_ACTIVE');
    const before = scene.machine.data;
    for (const type of ['OPENED', 'NOT_OPENED', 'NOT_CLOSED'] as const) {
      expect(scene.outcome(type, { intentId: 'another' })).toEqual([]);
    }
    expect(scene.machine.data).toEqual(before);
  });

  test('a close that is told before the fill ends in the right place; the fill then says nothing new', () => {
    const scene = Scene.in('ENTRY_EVALUATION');
    const intentId = scene.machine.data.entry?.intentId ?? '';
    expect(scene.outcome('CLOSED', { intentId: '', section: 'stop_loss', reason: 'stop_loss' })).toHaveLength(3);
    expect(scene.outcome('OPENED', { intentId })).toEqual([]);
    expect(scene.machine.data.state).toBe('MONITORING');
  });

  test('a fill after it was said that there was none is closed, for nobody would look after it', () => {
    const scene = Scene.in('ENTRY_EVALUATION');
    const intentId = scene.machine.data.entry?.intentId ?? '';
    scene.outcome('NOT_OPENED');
    expect(scene.outcome('OPENED', { intentId })).toEqual(['2 blocked venue filled_late']);
    expect(scene.outcome('OPENED', { intentId })).toEqual([]);
    expect(scene.asked).toEqual(['EXIT venue']);
  });
});

describe('decisions that are held back', () => {
  test('are recorded once a state and reason; exits and cancellations go on', () => {
    const scene = new Scene();
    expect(scene.at(['s1'], 'stale_inputs')).toEqual(['1 blocked s1_signal stale_inputs']);
    expect(scene.at(['s1'], 'stale_inputs')).toEqual([]);
    expect(scene.at(['s1'], 'paused')).toEqual(['3 blocked s1_signal paused']);
    scene.at(['s1']);
    expect(scene.at(['z1'], 'paused')).toEqual(['5 blocked z1_entry paused']);
    expect(scene.at(['o1'], 'paused')).toEqual(['6 SIGNAL_CANCELLED o1_cancel conditions_met']);
    const open = Scene.in('POSITION_ACTIVE');
    open.at(['ze1'], 'stale_inputs');
    expect(open.asked).toEqual(['EXIT ze1_close']);
  });

  test('conditions without a value are false and say so', () => {
    const machine = new InstanceMachine({
      instanceId: 'i',
      strategy: compileStrategy(
        strategy({ s1Signal: { conditions: [{ id: 'n', indicatorId: 's1', operator: '!=', value: 7 }] } }),
      ),
      revision: 1,
      indicatorIds: IDS,
    });
    const event = { sequence: 1, timeMs: 60_000, price: '1' };
    expect(machine.event(event, new Float64Array(IDS.length).fill(Number.NaN)).records).toEqual([]);
  });
});

describe('edits while it runs', () => {
  const eager = compileStrategy(
    strategy({ s1Signal: { conditions: [{ id: 's', indicatorId: 'e1', operator: '>=', value: 1 }] } }),
  );

  test('FOLLOW_LATEST: a flat instance switches at once, its timer keeps running', () => {
    const scene = Scene.in('SIGNAL_DETECTED');
    const patient = compileStrategy(strategy({ o1Cancel: { conditions: [], timeoutSeconds: 3_600 } }));
    expect(scene.machine.revise({ revision: 2, strategy: patient })).toBe(true);
    scene.minute = 9;
    expect(scene.at([])[0]).toBe('3 SIGNAL_CANCELLED o1_cancel timeout');
    expect(scene.machine.data.revision).toBe(2);
  });

  test.each(['ENTRY_EVALUATION', 'POSITION_ACTIVE'] as const)(
    '%s is finished by the revision that opened it',
    (state) => {
      const scene = Scene.in(state);
      expect(scene.machine.revise({ revision: 2, strategy: eager })).toBe(false);
      if (state === 'ENTRY_EVALUATION') scene.outcome('OPENED');
      scene.at(['ze1']);
      scene.outcome('CLOSED', { section: 'venue' });
      expect(scene.machine.data).toMatchObject({ state: 'MONITORING', revision: 2 });
      expect(scene.at(['e1'])).toEqual([`${scene.minute} SIGNAL_DETECTED s1_signal conditions_met`]);
    },
  );

  test('PINNED never switches', () => {
    const scene = new Scene(strategy(), true);
    expect(scene.machine.revise({ revision: 2, strategy: eager })).toBe(false);
    expect(scene.at(['e1'])).toEqual([]);
    expect(scene.machine.data.revision).toBe(1);
  });
});
