import { Code, ConnectError } from '@connectrpc/connect';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Draft } from '../domain/draft.ts';
import { applyIntent } from '../domain/intents.ts';
import { type CommandRecord, hasEnded, isDue } from '../domain/records.ts';
import type { SessionBook, SessionReader, SessionView } from '../domain/repository.ts';
import type { Observed } from '../domain/observed.ts';
import { applyObserved } from '../domain/results.ts';
import { type UpkeepLimits, upkeep } from '../domain/upkeep.ts';
import type { Upstream } from '../upstream.ts';
import { outcomeToProto } from '../wire/outcome-to-proto.ts';
import { applyAnswers, tellEvaluators, untold } from './evaluator-side.ts';
import { cancel, issue, look } from './issuing.ts';

/** Outcomes told in one call. */
const OUTCOMES_PER_CALL = 500;
/** After a failure that may pass, and while an evaluator has yet to apply something. */
const AGAIN_MS = 500;
/** An instance that is to end when it is flat is asked for so often. */
const CLOSING_LOOK_MS = 2_000;
/** A command that nobody has spoken of for so long is looked at: its news may have been lost. */
const SILENCE_MS_MAX = 30_000;

export interface PassDependencies {
  readonly book: SessionBook;
  readonly reader: SessionReader;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: UpkeepLimits;
}

/**
 * Does everything that a session wants done, once: its intents, what time brings about, its commands, its instances, its
 * outcomes. Each step is harmless when it is repeated. Returns in how many milliseconds to look again; Infinity for when
 * something changes.
 */
export async function workOn(deps: PassDependencies, accountId: string, sessionId: string): Promise<number> {
  const { book, reader, clock } = deps;
  let applied: number;
  do applied = await book.applyIntents(sessionId, applyIntent);
  while (applied > 0);
  const dueMs = (await book.change(sessionId, (draft) => upkeep(draft, deps.limits))) ?? Infinity;
  const view = await reader.get(accountId, sessionId);
  if (view === undefined) return Infinity;
  const due = await Promise.all([
    attempt(deps, sessionId, 'commands', () => doCommands(deps, view)),
    attempt(deps, sessionId, 'instances', () => doInstances(deps, view)),
    attempt(deps, sessionId, 'outcomes', () => doOutcomes(deps, view)),
  ]);
  return Math.min(dueMs - clock.nowMs(), ...due);
}

/** One side that is away holds up no other. */
async function attempt(
  { logger }: PassDependencies,
  sessionId: string,
  what: string,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (thrown) {
    const passing = ConnectError.from(thrown).code === Code.Unavailable;
    logger[passing ? 'debug' : 'warn']({ sessionId, what, reason: messageOf(thrown) }, 'session work failed');
    return AGAIN_MS;
  }
}

async function doCommands({ book, reader, upstream, clock }: PassDependencies, view: SessionView): Promise<number> {
  const { session } = view;
  const { accountId, id: sessionId } = session;
  const own = (await reader.commands(sessionId)).filter(({ purpose }) => purpose !== 'HALT');
  const note = async (observed: readonly Observed[]): Promise<void> => {
    if (observed.length === 0) return;
    const requestIds = observed.map(({ requestId }) => requestId);
    await book.change(sessionId, (draft) => observed.forEach((each) => applyObserved(draft, each)), { requestIds });
  };
  const nowMs = clock.nowMs();
  const unissued = own.filter(({ state }) => state === 'WANTED');
  const later = unissued.filter((command) => !isDue(command, nowMs));
  const wanted = unissued.filter((command) => isDue(command, nowMs));
  const issued = await issue(upstream, accountId, wanted, session);
  await note(issued);
  await cancelWanted({ book, upstream }, accountId, sessionId, own);
  const silent = own.filter(({ state, commandId }) => state !== 'WANTED' && commandId !== '');
  const unheard = silent.filter(({ createTimeMs }) => nowMs - createTimeMs > SILENCE_MS_MAX);
  await note(await look(upstream, accountId, unheard));
  if (issued.length < wanted.length) return AGAIN_MS;
  const open = own.some((command) => !hasEnded(command)) || issued.some((each) => !hasEnded(each));
  return Math.min(open ? SILENCE_MS_MAX : Infinity, ...later.map(({ createTimeMs }) => createTimeMs - nowMs));
}

/** Best effort: the entry still ends by its own answer. */
async function cancelWanted(
  { book, upstream }: Pick<PassDependencies, 'book' | 'upstream'>,
  accountId: string,
  sessionId: string,
  commands: readonly CommandRecord[],
): Promise<void> {
  for (const { commandId: id, requestId } of commands.filter((each) => each.cancelWanted && each.commandId !== '')) {
    await cancel(upstream, accountId, id);
    const cancelled = (draft: Draft) => draft.setCommand(requestId, { cancelWanted: false });
    await book.change(sessionId, cancelled, { requestIds: [requestId] });
  }
}

async function doInstances({ book, upstream }: PassDependencies, view: SessionView): Promise<number> {
  if (view.session.mode === 'BACKTEST' || untold(view).length === 0) return Infinity;
  const answers = await tellEvaluators(upstream, view);
  await book.change(view.session.id, (draft) => applyAnswers(draft, answers));
  if (answers.some(({ asked, status }) => asked !== 'CLOSE' && status === 'PENDING')) return AGAIN_MS;
  return answers.some(({ status }) => status === 'CLOSING') ? CLOSING_LOOK_MS : Infinity;
}

async function doOutcomes({ book, upstream }: PassDependencies, { session }: SessionView): Promise<number> {
  for (;;) {
    const outcomes = await book.outcomes(session.id, OUTCOMES_PER_CALL);
    if (outcomes.length === 0) return Infinity;
    const request = { outcomes: outcomes.map(outcomeToProto) };
    await upstream.evaluators.reportOutcomes(request, upstream.as(session.accountId));
    await book.outcomesTold(outcomes.map(({ id }) => id));
  }
}
