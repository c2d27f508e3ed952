import type { Command, CommandError, TerminalState } from '../../services/command/domain/command.ts';
import type { AgentFact } from '../../services/command/link/flow-link.ts';
import type { JournaledCommand } from '../../services/command/link/live-command.ts';
import { decideDelivery } from '../../services/executor/domain/repeat.ts';

/** How a command ends at the agent. */
export interface End {
  readonly state: TerminalState;
  /** A failure that may pass. */
  readonly passing: boolean;
}

interface Entry {
  readonly id: string;
  attempt: number;
  stage: 'received' | 'running' | 'finished';
  end: End;
  told: boolean;
  acknowledged: boolean;
}

const SUCCESS: End = { state: 'SUCCEEDED', passing: false };

/** An agent as the wire knows one: a journal, facts on their way, and whatever order, loss and repetition a test wants. */
export class FlowAgent {
  journalId = 'journal-1';
  readonly #report: (facts: readonly AgentFact[]) => void;
  #entries = new Map<string, Entry>();
  #facts: AgentFact[] = [];
  readonly #cancels = new Set<string>();

  constructor(report: (facts: readonly AgentFact[]) => void) {
    this.#report = report;
  }

  /** Facts on their way. */
  get waiting(): number {
    return this.#facts.length;
  }

  receive(command: Command): void {
    const known = this.#entries.get(command.id);
    const decision = decideDelivery(
      known && {
        attempt: known.attempt,
        stage: known.stage,
        failedRetryable: known.stage === 'finished' && known.end.passing,
      },
      command.attempt,
    );
    if (known !== undefined && decision.action === 'answer') {
      if (decision.adoptAttempt) known.attempt = command.attempt;
      this.#tell(known);
      return;
    }
    const entry: Entry = {
      id: command.id,
      attempt: command.attempt,
      stage: 'received',
      end: SUCCESS,
      told: false,
      acknowledged: false,
    };
    this.#entries.set(command.id, entry);
    this.#tell(entry);
  }

  /** One command goes one stage on, ending as `end` says. Nothing when all is finished. */
  step(pick: number, end: End): void {
    const open = [...this.#entries.values()].filter((entry) => entry.stage !== 'finished');
    const entry = open[pick % Math.max(1, open.length)];
    if (entry === undefined) return;
    if (entry.stage === 'received' && this.#cancels.has(entry.id)) {
      entry.end = { state: 'CANCELLED', passing: false };
      entry.stage = 'finished';
    } else if (entry.stage === 'received') entry.stage = 'running';
    else {
      entry.end = end;
      entry.stage = 'finished';
    }
    this.#tell(entry);
  }

  /** A running command reports progress. */
  progress(pick: number): void {
    const running = [...this.#entries.values()].filter((entry) => entry.stage === 'running');
    const entry = running[pick % Math.max(1, running.length)];
    if (entry === undefined) return;
    this.#facts.push({ commandId: entry.id, event: { type: 'progressed', atMs: 0, progress: new Uint8Array([1]) } });
  }

  finishAll(): void {
    for (const entry of this.#entries.values()) {
      if (entry.stage === 'finished') continue;
      entry.stage = 'finished';
      entry.end = SUCCESS;
      this.#tell(entry);
    }
  }

  /** One fact arrives: the one at `pick`, so in any order; `kept` on its way, so it arrives again. */
  arrive(pick: number, kept: boolean, nowMs: number): void {
    const at = pick % Math.max(1, this.#facts.length);
    const fact = this.#facts[at];
    if (fact === undefined) return;
    if (!kept) this.#facts.splice(at, 1);
    this.#deliver([fact], nowMs);
  }

  /** One fact is lost; the agent tells it again on its next stream. */
  lose(pick: number): void {
    this.#facts.splice(pick % Math.max(1, this.#facts.length), 1);
  }

  reportAll(): void {
    const facts = this.#facts.splice(0);
    if (facts.length > 0) this.#deliver(facts, undefined);
  }

  acknowledge(id: string): void {
    const entry = this.#entries.get(id);
    if (entry?.stage === 'finished' && entry.told) entry.acknowledged = true;
  }

  cancel(id: string): void {
    this.#cancels.add(id);
  }

  inquire(ids: readonly string[]): void {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry === undefined) this.#facts.push({ commandId: id, event: { type: 'not_found' } });
      else this.#tell(entry);
    }
  }

  /** The stream is gone, and what was on its way with it. */
  disconnect(): void {
    this.#facts = [];
  }

  /** Another machine, or a lost disk, comes with the same credential. */
  replace(journalId: string): void {
    this.journalId = journalId;
    this.#entries = new Map();
    this.#facts = [];
  }

  journal(): JournaledCommand[] {
    return this.#unacknowledged().map(({ id, stage }) => ({ commandId: id, stage }));
  }

  /** A new stream is told everything that is open. */
  resync(): void {
    for (const entry of this.#unacknowledged()) this.#tell(entry);
  }

  /** Commands whose end the platform has not been told on this journal. */
  busy(): string[] {
    return [...this.#entries.values()].filter((entry) => !this.hasReportedEnd(entry.id)).map(({ id }) => id);
  }

  hasReportedEnd(id: string): boolean {
    return this.reportedEnd(id) !== undefined;
  }

  reportedEnd(id: string): End | undefined {
    const entry = this.#entries.get(id);
    return entry?.stage === 'finished' && entry.told ? entry.end : undefined;
  }

  #unacknowledged(): Entry[] {
    return [...this.#entries.values()].filter((entry) => !entry.acknowledged);
  }

  #deliver(facts: readonly AgentFact[], nowMs: number | undefined): void {
    for (const { commandId, event } of facts) {
      const entry = this.#entries.get(commandId);
      if (event.type === 'finished' && entry?.attempt === event.attempt) entry.told = true;
    }
    this.#report(
      nowMs === undefined
        ? facts
        : facts.map((fact) => ('atMs' in fact.event ? { ...fact, event: { ...fact.event, atMs: nowMs } } : fact)),
    );
  }

  #tell(entry: Entry): void {
    const { id, attempt, stage, end } = entry;
    const atMs = Number.MAX_SAFE_INTEGER;
    if (stage === 'received') this.#facts.push({ commandId: id, event: { type: 'received', atMs } });
    else if (stage === 'running') this.#facts.push({ commandId: id, event: { type: 'started', atMs } });
    else {
      const error = end.state === 'SUCCEEDED' ? null : failure(end.passing);
      this.#facts.push({
        commandId: id,
        event: { type: 'finished', atMs, attempt, state: end.state, result: null, error },
      });
    }
  }
}

function failure(retryable: boolean): CommandError {
  return { reason: 'VENUE_UNAVAILABLE', message: 'the venue is away', hop: 'venue', retryable, metadata: {} };
}
