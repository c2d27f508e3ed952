import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Draft } from '../domain/draft.ts';
import { type HaltBook, type HaltRecord, type HaltTarget, type HaltView, haltCommand } from '../domain/halt.ts';
import { type CommandRecord, hasEnded, isDue, PUT_OFF_MS_MAX } from '../domain/records.ts';
import type { SessionBook } from '../domain/repository.ts';
import { namedSessions, type Observed } from '../domain/observed.ts';
import { executorHalted, executorLost, haltedNowhere } from '../domain/stopped.ts';
import type { Upstream } from '../upstream.ts';
import { ANSWER_MS_MAX, ExecutorLoss } from './executor-loss.ts';
import { cancel, issue, look } from './issuing.ts';

const SWEEP_MS = 500;
/** A halt that waits for executors is looked at so often; news of its commands come sooner. */
const LOOK_MS = 2_000;
const HALTS_MAX = 20;

export interface HaltingOptions {
  readonly halts: HaltBook;
  readonly book: SessionBook;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Carries out kill switches that are durable, until every executor has acknowledged or cannot any more. Any replica may, at any moment. */
export class Halting implements Running {
  readonly #options: HaltingOptions;
  readonly #loss: ExecutorLoss;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(options: HaltingOptions) {
    this.#options = options;
    this.#loss = new ExecutorLoss(options.upstream, options.clock);
  }

  start(): void {
    this.#cancel = this.#options.clock.after(SWEEP_MS, () => {
      this.#sweeping = this.#sweep().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#sweeping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Does what a halt needs now: issues its commands, looks at them, writes down who has acknowledged, and who never will. */
  async advance({ halt, targets }: HaltView): Promise<void> {
    const { halts, clock } = this.#options;
    const open = targets.filter(({ flat, abandonTimeMs }) => !flat && abandonTimeMs === null);
    const news = await this.#news(halt, open);
    for (const { command, ...target } of open) {
      const told = news.get(command.requestId);
      if (told !== undefined) await this.#take(halt, target, command, told);
    }
    const waiting = open.filter(({ command }) => news.get(command.requestId)?.state !== 'SUCCEEDED');
    // Nothing holds up the stop itself.
    const isYoung = Math.abs(clock.nowMs() - halt.createTimeMs) <= ANSWER_MS_MAX;
    const lost = isYoung ? new Map<string, string>() : await this.#loss.whyLost(halt.accountId, waiting);
    for (const { command, ...target } of waiting) {
      const told = news.get(command.requestId);
      const reason = lost.get(target.executorId);
      if (reason !== undefined) {
        await this.#abandon(halt, target, { ...command, commandId: told?.commandId ?? command.commandId }, reason);
      } else if (told !== undefined && (await this.#isNothingThere(command, told))) {
        await halts.acknowledged(target, told.finishTimeMs ?? clock.nowMs());
      } else if (told !== undefined && endedWithoutStop(told)) {
        const scope = { halt, sessionId: command.sessionId ?? undefined };
        // Such as one whose market is closed: the first time after a look, then ever later.
        const againMs = clock.nowMs() + Math.min(PUT_OFF_MS_MAX, LOOK_MS * 2 ** Math.min(target.attempt, 10));
        await halts.again(target, haltCommand(scope, target.executorId, target.attempt + 1, againMs));
      }
    }
    await halts.complete(halt.id);
  }

  /** Of the commands of a halt, by request id, after issuing those that are not issued. */
  async #news(halt: HaltRecord, open: HaltView['targets']): Promise<ReadonlyMap<string, Observed>> {
    const { upstream, clock } = this.#options;
    const commands = open.map(({ command }) => command);
    const wanted = commands.filter((command) => command.state === 'WANTED' && isDue(command, clock.nowMs()));
    const issued = commands.filter(({ commandId }) => commandId !== '');
    const observed = [
      ...(await issue(upstream, halt.accountId, wanted, undefined)),
      ...(await look(upstream, halt.accountId, issued)),
    ];
    return new Map(observed.map((told) => [told.requestId, told]));
  }

  async #take(halt: HaltRecord, target: HaltTarget, command: CommandRecord, told: Observed): Promise<void> {
    const { halts, clock } = this.#options;
    const { commandId, reason, message, finishTimeMs } = told;
    // What was refused was never stored: it is asked for again as it is, at the next look.
    const isRefused = told.state === 'REFUSED' && !isDisabled(told);
    const state = isRefused ? 'WANTED' : told.state;
    await halts.observed({
      ...command,
      state,
      commandId,
      reason,
      message,
      finishTimeMs: isRefused ? null : finishTimeMs,
    });
    if (state !== 'SUCCEEDED') return;
    await this.#settleSessions(halt, target.executorId, told);
    await halts.acknowledged(target, finishTimeMs ?? clock.nowMs());
  }

  /** The executor knows no such session, and nothing of it is left to close there. */
  async #isNothingThere({ sessionId, wish }: CommandRecord, told: Observed): Promise<boolean> {
    if (sessionId === null || told.reason !== 'TARGET_UNKNOWN' || wish.type !== 'STOP_SESSION') return false;
    return (await this.#options.book.change(sessionId, (draft) => haltedNowhere(draft, wish.closePositions))) ?? true;
  }

  /** The halt last: should this replica die in between, the next one finds the executor still waited for. */
  async #abandon(halt: HaltRecord, target: HaltTarget, command: CommandRecord, reason: string): Promise<void> {
    const { halts, book, upstream, logger } = this.#options;
    const { executorId, executorName } = target;
    if (command.commandId !== '') {
      await cancel(upstream, halt.accountId, command.commandId);
      // A disabled executor has no stream, so no answer comes any more; one may have come since the look.
      const [news] = await look(upstream, halt.accountId, [command]);
      if (news?.state === 'SUCCEEDED') return this.#take(halt, target, command, news);
    }
    await book.changeEach(await halts.sessions(halt.id, executorId), (draft) => executorLost(draft, reason));
    if (await halts.abandoned(target, reason)) {
      logger.warn({ haltId: halt.id, executor: executorName, reason }, 'halt ended without its executor');
    }
  }

  async #settleSessions({ id, closePositions }: HaltRecord, executorId: string, news: Observed): Promise<void> {
    const { halts, book } = this.#options;
    const settle = (draft: Draft): void => executorHalted(draft, news, closePositions);
    // One that has ended may have kept positions, or have been told that they are gone, but not at what price.
    const sessionIds = await halts.sessions(id, executorId, namedSessions(news.fills));
    await book.changeEach(sessionIds, settle, { unpriced: true });
  }

  async #sweep(): Promise<void> {
    const { halts, logger } = this.#options;
    try {
      for (const halt of await halts.claim(LOOK_MS, HALTS_MAX)) await this.#try(halt);
    } catch (thrown) {
      logger.debug({ reason: messageOf(thrown) }, 'due halts not read');
    }
  }

  async #try(view: HaltView): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.advance(view);
    } catch (thrown) {
      const away = ConnectError.from(thrown).code === Code.Unavailable;
      logger[away ? 'debug' : 'error']({ haltId: view.halt.id, reason: messageOf(thrown) }, 'halt not advanced');
    }
  }
}

function isDisabled({ reason }: Observed): boolean {
  return reason === 'EXECUTOR_DISABLED';
}

/** Another try is due. A refusal was no try, and a disabled executor gets none. */
function endedWithoutStop(told: Observed): boolean {
  return told.state !== 'REFUSED' && hasEnded(told) && !isDisabled(told);
}
