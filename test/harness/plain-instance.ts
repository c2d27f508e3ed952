import type { Operator, RuleCondition, StrategyRules } from '../../services/evaluator/index.ts';

/** What happens to an instance: an event with the values of its indicators, or the venue's word. */
export type PlainInput =
  | {
      readonly kind: 'event';
      readonly timeMs: number;
      readonly values: Readonly<Record<string, number>>;
      readonly gate: '' | 'stale_inputs' | 'paused';
      /** The venue's stop or target that this event has touched. */
      readonly touched: '' | 'stop_loss' | 'take_profit';
    }
  | { readonly kind: 'answer'; readonly good: boolean }
  | { readonly kind: 'again' }
  | { readonly kind: 'clock'; readonly timeMs: number };

/**
 * The state machine once more, as plainly as it can be said and without the product's code: one object, changed in place, that
 * writes down what it does as "time from>to section reason" and what it asks for as "ENTER time".
 */
export class PlainInstance {
  state = 'MONITORING';
  readonly log: string[] = [];
  readonly asked: string[] = [];
  readonly #rules: StrategyRules;
  #signalMs = 0;
  #endMs = 0;
  #blocked = '';
  #exit: { section: string; timeMs: number; failed: boolean } | undefined;
  #cancelMs: number | undefined;
  #lastMs = 0;

  constructor(rules: StrategyRules) {
    this.#rules = rules;
  }

  /** Whether the venue owes an answer. */
  get owed(): 'entry' | 'exit' | undefined {
    if (this.state === 'ENTRY_EVALUATION') return 'entry';
    return this.#exit !== undefined && !this.#exit.failed ? 'exit' : undefined;
  }

  take(input: PlainInput): void {
    if (input.kind === 'event') this.#event(input);
    else if (input.kind === 'clock') this.#timers(input.timeMs);
    else if (input.kind === 'again') this.#again();
    else if (this.state === 'ENTRY_EVALUATION') this.#entryAnswered(input.good);
    else if (this.owed === 'exit') this.#exitAnswered(input.good);
  }

  #event({ timeMs, values, gate, touched }: PlainInput & { kind: 'event' }): void {
    this.#timers(timeMs);
    this.#lastMs = timeMs;
    if (touched !== '' && this.state === 'POSITION_ACTIVE') {
      this.#exit = undefined;
      this.#go(timeMs, 'EXITED', touched, touched);
      this.#go(timeMs, 'MONITORING', touched, 'exited');
      return;
    }
    const all = (section: { readonly conditions: readonly RuleCondition[] } | undefined): boolean => {
      const conditions = section?.conditions ?? [];
      return conditions.length > 0 && conditions.every((c) => isTrue(values[c.indicatorId], c.operator, c.value));
    };
    const { s1Signal, z1Entry, ze1Close, o1Cancel, emergencyExit } = this.#rules;
    const emergency = all(emergencyExit);
    const cancels = emergencyExit?.actions?.cancelPending ?? true;
    const closes = emergencyExit?.actions?.closePosition ?? true;
    if (this.state === 'MONITORING') {
      if (all(s1Signal) && this.#may(timeMs, 's1_signal', gate)) {
        this.asked.push(`SIGNAL ${timeMs}`);
        this.#signalMs = timeMs;
        this.#go(timeMs, 'SIGNAL_DETECTED', 's1_signal', 'conditions_met');
      }
    } else if (this.state === 'SIGNAL_DETECTED') {
      if (emergency && cancels) {
        this.asked.push(`SIGNAL_CANCELLED ${timeMs}`);
        this.#emergencyOver(timeMs, timeMs);
      } else if (all(o1Cancel)) this.#giveUp(timeMs, 'conditions_met');
      else if (this.#timeoutMs() > 0 && timeMs - this.#signalMs >= this.#timeoutMs()) this.#giveUp(timeMs, 'timeout');
      else if (all(z1Entry) && this.#may(timeMs, 'z1_entry', gate)) {
        this.asked.push(`ENTER ${timeMs}`);
        this.#go(timeMs, 'ENTRY_EVALUATION', 'z1_entry', 'conditions_met');
        this.#cancelMs = undefined;
      }
    } else if (this.state === 'ENTRY_EVALUATION') {
      if (emergency && cancels && this.#cancelMs === undefined) {
        this.asked.push(`CANCEL_ENTRY ${timeMs}`);
        this.#cancelMs = timeMs;
      }
    } else if (this.state === 'POSITION_ACTIVE' && this.#exit === undefined) {
      if (emergency && closes) this.#close('emergency_exit', timeMs);
      else if (all(ze1Close)) this.#close('ze1_close', timeMs);
    }
  }

  #timers(timeMs: number): void {
    if (this.state === 'SIGNAL_DETECTED' && this.#timeoutMs() > 0 && this.#signalMs + this.#timeoutMs() < timeMs) {
      this.#giveUp(this.#signalMs + this.#timeoutMs(), 'timeout');
    }
    const cooling = this.state === 'SIGNAL_CANCELLED' || this.state === 'EMERGENCY_EXIT';
    if (cooling && this.#endMs <= timeMs) this.#go(this.#endMs, 'MONITORING', 'cooldown', 'cooldown_over');
  }

  #entryAnswered(filled: boolean): void {
    if (filled) {
      this.#go(this.#lastMs, 'POSITION_ACTIVE', 'venue', 'filled');
      if (this.#cancelMs !== undefined) this.#close('emergency_exit', this.#cancelMs);
    } else if (this.#cancelMs === undefined) this.#go(this.#lastMs, 'MONITORING', 'venue', 'rejected');
    else this.#emergencyOver(this.#lastMs, this.#cancelMs);
  }

  #exitAnswered(done: boolean): void {
    const exit = this.#exit;
    if (exit === undefined) return;
    if (!done) {
      exit.failed = true;
      this.log.push(`${this.#lastMs} POSITION_ACTIVE>blocked ${exit.section} exit_failed`);
      return;
    }
    this.#exit = undefined;
    if (exit.section === 'emergency_exit') this.#emergencyOver(this.#lastMs, exit.timeMs);
    else {
      this.#go(this.#lastMs, 'EXITED', 'ze1_close', 'conditions_met');
      this.#go(this.#lastMs, 'MONITORING', 'ze1_close', 'exited');
    }
  }

  #again(): void {
    if (this.#exit?.failed !== true) return;
    this.#exit.failed = false;
    this.asked.push(`EXIT ${this.#lastMs}`);
  }

  #close(section: string, timeMs: number): void {
    this.asked.push(`EXIT ${timeMs}`);
    this.#exit = { section, timeMs, failed: false };
  }

  #giveUp(timeMs: number, reason: string): void {
    this.asked.push(`SIGNAL_CANCELLED ${timeMs}`);
    this.#go(timeMs, 'SIGNAL_CANCELLED', 'o1_cancel', reason);
    this.#endMs = timeMs + (this.#rules.o1Cancel?.cooldownMinutes ?? 0) * 60_000;
    if (this.#endMs <= timeMs) this.#go(timeMs, 'MONITORING', 'cooldown', 'cooldown_over');
  }

  #emergencyOver(timeMs: number, decidedMs: number): void {
    this.#go(timeMs, 'EMERGENCY_EXIT', 'emergency_exit', 'conditions_met');
    this.#endMs = decidedMs + (this.#rules.emergencyExit?.cooldownMinutes ?? 0) * 60_000;
    if (this.#endMs <= timeMs) this.#go(timeMs, 'MONITORING', 'cooldown', 'cooldown_over');
  }

  #may(timeMs: number, section: string, gate: string): boolean {
    if (gate === '') return true;
    if (this.#blocked !== gate) this.log.push(`${timeMs} ${this.state}>blocked ${section} ${gate}`);
    this.#blocked = gate;
    return false;
  }

  #go(timeMs: number, to: string, section: string, reason: string): void {
    this.log.push(`${timeMs} ${this.state}>${to} ${section} ${reason}`);
    this.state = to;
    this.#blocked = '';
  }

  #timeoutMs(): number {
    return (this.#rules.o1Cancel?.timeoutSeconds ?? 0) * 1_000;
  }
}

function isTrue(actual: number | undefined, operator: Operator, value: number): boolean {
  if (actual === undefined || Number.isNaN(actual)) return false;
  if (operator === '>') return actual > value;
  if (operator === '>=') return actual >= value;
  if (operator === '<') return actual < value;
  if (operator === '<=') return actual <= value;
  return operator === '==' ? actual === value : actual !== value;
}
