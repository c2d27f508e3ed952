import { toBinary } from '@bufbuild/protobuf';
import type { Pool } from 'pg';
import { type Intent, IntentSchema } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { OutcomeRecord, Step } from '../domain/instance.ts';
import { isFlat } from '../domain/instance.ts';
import { askExitAgain, onDeactivated, onInputs, onOutcome } from '../domain/outcomes.ts';
import type { Freshness, InstanceStatus, StoredInstance } from '../domain/stored-instance.ts';
import type { AppliedOutcome, Progress } from '../store/step-store.ts';
import { intentToProto } from '../wire/evaluation-to-proto.ts';
import { AccountWriter, type StepWrite } from './account-writer.ts';
import type { IntentSender } from './intent-sender.ts';
import { type OwnedInstance, own, type ReadyStrategy, strategyKey } from './owned-instance.ts';
import { SymbolDesk } from './symbol-desk.ts';
import type { SymbolFeedDependencies } from './symbol-feed.ts';

const EXIT_RETRY = { firstMs: 1_000, maxMs: 60_000 } as const;

export interface RunnerDependencies extends SymbolFeedDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ownerId: string;
  readonly replicaId: string;
  readonly sender: IntentSender;
  /** Something of the account was stored. */
  readonly stored: (accountId: string) => void;
  /** The instance is not run here any more. */
  readonly lost: (instanceId: string, epoch: number) => void;
}

/** What a step is stored with, beside what the machine gives. */
interface Beside {
  readonly outcomes?: readonly AppliedOutcome[];
  /** The status as it was stored before, where this write changes it. */
  readonly fromStatus?: InstanceStatus;
}

const NO_STEP = { records: [], intents: [] } as const;

/** Runs the instances that this replica owns: events, timers and outcomes in, stored steps and intents out. */
export class Runner {
  readonly #deps: RunnerDependencies;
  readonly #instances = new Map<string, OwnedInstance>();
  readonly #desks = new Map<string, SymbolDesk>();
  readonly #writers = new Map<string, AccountWriter>();
  /** Intents in their written form, until they are stored. */
  readonly #unsent = new Map<string, Intent>();
  #tick: NodeJS.Timeout | undefined;
  /** The outcomes and status change that the step in hand is stored with. */
  #beside: Beside = {};
  #settled: (instance: OwnedInstance) => void = () => undefined;

  constructor(deps: RunnerDependencies) {
    this.#deps = deps;
  }

  start(tickMs: number): void {
    this.#tick = setInterval(() => {
      for (const desk of this.#desks.values()) desk.tick();
    }, tickMs);
  }

  /** Told after every step: an instance may have become flat. */
  onSettled(callback: (instance: OwnedInstance) => void): void {
    this.#settled = callback;
  }

  get(instanceId: string): OwnedInstance | undefined {
    return this.#instances.get(instanceId);
  }

  all(): OwnedInstance[] {
    return [...this.#instances.values()];
  }

  deskOf(instance: { readonly accountId: string; readonly symbol: string }): SymbolDesk {
    const key = `${instance.accountId} ${instance.symbol}`;
    let desk = this.#desks.get(key);
    if (desk === undefined) {
      desk = new SymbolDesk(
        {
          ...this.#deps,
          told: (member, step) => this.#took(member, step),
          freshnessChanged: (members, freshness, atMs) => this.#freshness(members, freshness, atMs),
        },
        instance.accountId,
        instance.symbol,
      );
      this.#desks.set(key, desk);
    }
    return desk;
  }

  /** Begins to run an instance from where it was stored. */
  add(row: StoredInstance, ready: ReadyStrategy): OwnedInstance {
    const instance = own(row, ready);
    this.#instances.set(instance.id, instance);
    this.deskOf(instance).add(instance);
    this.#retryLater(instance);
    return instance;
  }

  /** Runs it no longer; what it has done so far is still written. */
  remove(instanceId: string): void {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) return;
    instance.cancelRetry?.();
    this.#instances.delete(instanceId);
    const key = `${instance.accountId} ${instance.symbol}`;
    const desk = this.#desks.get(key);
    desk?.remove(instanceId);
    if (desk === undefined || desk.book.size > 0) return;
    this.#desks.delete(key);
    desk.stop().catch((thrown: unknown) => this.#deps.logger.error({ err: thrown }, 'stream not ended'));
  }

  /** Changes the instance's status, and stores it unless somebody else has changed it meanwhile. */
  setStatus(instance: OwnedInstance, status: InstanceStatus, fault = ''): void {
    const fromStatus = instance.status;
    instance.status = status;
    instance.fault = fault;
    this.#write(instance, { instance: instance.data, ...NO_STEP }, { fromStatus });
  }

  /** Lets another revision take over a flat instance. */
  revise(instance: OwnedInstance, ready: ReadyStrategy, status: InstanceStatus = instance.status): void {
    const fromStatus = instance.status;
    instance.status = status;
    instance.fault = '';
    const desk = this.deskOf(instance);
    instance.definition = ready.definition;
    instance.strategyName = ready.strategy.name;
    desk.book.revise(instance, ready.revision, strategyKey(instance.strategyId, ready.revision), ready.strategy);
    desk.interest();
    this.#write(instance, { instance: instance.data, ...NO_STEP }, { fromStatus });
  }

  /** Ends a signal that the instance will not follow, because it is taken out of its session. */
  giveUp(instance: OwnedInstance): void {
    const { book } = this.deskOf(instance);
    book.apply(instance, onDeactivated(instance.data, instance.strategy, book.at.timeMs, book.at.price));
  }

  /** Applies outcomes in order; those that were taken in already are passed over. */
  outcome(instance: OwnedInstance, id: string, outcome: OutcomeRecord): void {
    if (instance.takenOutcomes.has(id)) return;
    instance.takenOutcomes.add(id);
    const { book } = this.deskOf(instance);
    const before = instance.data;
    const step = onOutcome(before, instance.strategy, outcome, book.throughOf(instance));
    this.#beside = { outcomes: [{ id, instance: instance.id }] };
    book.apply(instance, step);
    // An outcome that changes nothing is applied, too.
    if (instance.data === before && step.records.length === 0) {
      this.#write(instance, { instance: before, ...NO_STEP }, this.#beside);
    }
    this.#beside = {};
  }

  /** How far instances have looked beyond what is stored. */
  progress(): Progress[] {
    return this.all().flatMap((instance) => {
      const through = this.deskOf(instance).book.throughOf(instance);
      if (through.sequence <= instance.storedSequence || !Number.isFinite(through.timeMs)) return [];
      return [{ id: instance.id, epoch: instance.epoch, sequence: through.sequence, timeMs: through.timeMs }];
    });
  }

  /** Resolves when everything that was decided so far is stored or refused. */
  async idle(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.idle()));
  }

  async stop(): Promise<void> {
    clearInterval(this.#tick);
    for (const instance of this.#instances.values()) instance.cancelRetry?.();
    await Promise.all([...this.#desks.values()].map((desk) => desk.stop()));
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop()));
  }

  #took(instance: OwnedInstance, step: Step): void {
    this.#write(instance, step, this.#beside);
    this.#retryLater(instance);
    this.#settled(instance);
  }

  #freshness(instances: readonly OwnedInstance[], freshness: Freshness, timeMs: number): void {
    for (const instance of instances) {
      const before = instance.freshness;
      // Blind was told; only fresh prices end it.
      if (before === freshness || (before === 'BLIND' && freshness === 'STALE')) continue;
      // A source that has just begun has no prices yet: nothing has been lost that a session would have to act upon.
      if (before === '' && freshness === 'BLIND') {
        instance.freshness = 'STALE';
        continue;
      }
      instance.freshness = freshness;
      const { book } = this.deskOf(instance);
      const at = { timeMs, price: book.at.price };
      if (freshness === 'BLIND') book.apply(instance, onInputs(instance.data, instance.strategy, 'INPUT_BLIND', at));
      else if (before === 'BLIND') book.apply(instance, onInputs(instance.data, instance.strategy, 'INPUT_FRESH', at));
      else this.#write(instance, { instance: instance.data, ...NO_STEP }, {});
    }
  }

  /** A failed exit is asked for again, later each time. */
  #retryLater(instance: OwnedInstance): void {
    const { exit } = instance.data;
    if (exit === null || !exit.failed || instance.cancelRetry !== undefined) return;
    instance.cancelRetry = this.#deps.clock.after(backoffMs(exit.failures, EXIT_RETRY), () => {
      instance.cancelRetry = undefined;
      const { book } = this.deskOf(instance);
      const step = askExitAgain(instance.data, instance.strategy, book.at.timeMs, book.at.price);
      if (step !== null && this.get(instance.id) === instance) book.apply(instance, step);
    });
  }

  #write(instance: OwnedInstance, step: Step, { outcomes = [], fromStatus }: Beside): void {
    const intents = step.intents.map((intent) => intentToProto(instance, intent, instance.definition.message));
    for (const intent of intents) this.#unsent.set(intent.id, intent);
    const { strategyId, strategyName, symbol, epoch: leaseEpoch } = instance;
    const facts = { strategyId, strategyName, symbol, replicaId: this.#deps.replicaId, leaseEpoch };
    const through = this.deskOf(instance).book.throughOf(instance);
    instance.storedSequence = Math.max(instance.storedSequence, through.sequence);
    const write: StepWrite = {
      instance: {
        id: instance.id,
        epoch: instance.epoch,
        data: step.instance,
        freshness: instance.freshness,
        evaluatedSequence: through.sequence,
        evaluatedMs: through.timeMs,
        strategyName,
        runningRevision: instance.applied ? step.instance.revision : 0,
        fromStatus: fromStatus ?? instance.status,
        status: instance.status,
        wantedRevision: instance.wantedRevision,
        fault: instance.fault,
      },
      evaluations: step.records.map((record) => ({
        instance: instance.id,
        session: instance.sessionId,
        body: { ...record, ...facts },
      })),
      intents: intents.map((intent) => ({
        id: intent.id,
        instance: instance.id,
        payload: toBinary(IntentSchema, intent),
      })),
      outcomes,
    };
    this.#writer(instance.accountId).add(write);
  }

  #writer(accountId: string): AccountWriter {
    let writer = this.#writers.get(accountId);
    if (writer === undefined) {
      writer = new AccountWriter(accountId, {
        ...this.#deps,
        stored: (id, writes) => this.#stored(id, writes),
        refused: (writes) => this.#refused(writes),
      });
      this.#writers.set(accountId, writer);
    }
    return writer;
  }

  #stored(accountId: string, writes: readonly StepWrite[]): void {
    const intents = writes.flatMap((write) => this.#takeUnsent(write));
    this.#deps.sender.send(accountId, intents);
    for (const { outcomes } of writes) {
      for (const { id, instance } of outcomes) this.#instances.get(instance)?.takenOutcomes.delete(id);
    }
    if (writes.length > 0) this.#deps.stored(accountId);
  }

  #refused(writes: readonly StepWrite[]): void {
    for (const write of writes) {
      this.#takeUnsent(write);
      const { id, epoch } = write.instance;
      if (this.#instances.get(id)?.epoch !== epoch) continue;
      this.#deps.logger.info({ instanceId: id, epoch }, 'instance is run elsewhere');
      this.remove(id);
      this.#deps.lost(id, epoch);
    }
  }

  #takeUnsent({ intents }: StepWrite): Intent[] {
    return intents.flatMap(({ id }) => {
      const intent = this.#unsent.get(id);
      this.#unsent.delete(id);
      return intent === undefined ? [] : [intent];
    });
  }
}

/** True when an edit may take over now. */
export function mayRevise(instance: OwnedInstance): boolean {
  return isFlat(instance.data.state);
}
