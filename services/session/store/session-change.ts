import { Draft } from '../domain/draft.ts';
import type { SessionChange } from '../domain/follower.ts';
import type {
  ActivationRecord,
  CommandRecord,
  PositionRecord,
  SessionRecord,
  SignalRecord,
} from '../domain/records.ts';
import type { ChangeOptions } from '../domain/repository.ts';
import {
  lockSessions,
  readOpenCommands,
  readOpenPositions,
  readOpenSignals,
  writeActivations,
  writeChanges,
  writeCommands,
  writeOutcomes,
  writePositions,
  writeSessions,
  writeSignals,
} from './session-statements.ts';
import { readActivationsOf } from './read-statements.ts';
import { type Connection, run, type Statement } from './statement.ts';
import { kickWork } from './work-statements.ts';

/** Sessions that are loaded at once: what is in memory stays bounded, and a statement's share of each is small. */
const SESSIONS_AT_ONCE = 200;

/**
 * Changes sessions in somebody's transaction, with the same handful of statements for one as for many: one by one, a kill switch
 * over 200 sessions took 0.6 s to begin, at once it takes a tenth of that. Sessions that do not exist are left out. Returns the
 * ids of those that were written.
 */
export async function changeWithin(
  client: Connection,
  changes: readonly SessionChange[],
  nowMs: number,
): Promise<readonly string[]> {
  const changesOf = Map.groupBy(changes, ({ sessionId }) => sessionId);
  const ids = [...changesOf.keys()].toSorted();
  const written: string[] = [];
  for (let at = 0; at < ids.length; at += SESSIONS_AT_ONCE) {
    const part = ids.slice(at, at + SESSIONS_AT_ONCE);
    const drafts = await load(
      client,
      part.map((sessionId) => ({ sessionId, ...joined(changesOf.get(sessionId) ?? []) })),
      nowMs,
    );
    for (const draft of drafts) for (const { work } of changesOf.get(draft.session.id) ?? []) work(draft);
    const kicked = await write(client, drafts);
    if (kicked.length > 0) await run(client, kickWork, [kicked]);
    written.push(...kicked);
  }
  return written;
}

type Wanted = Required<ChangeOptions> & { readonly sessionId: string };

function joined(changes: readonly SessionChange[]): Required<ChangeOptions> {
  return {
    requestIds: changes.flatMap(({ options }) => options.requestIds ?? []),
    openCommandIds: changes.flatMap(({ options }) => options.openCommandIds ?? []),
    unpriced: changes.some(({ options }) => options.unpriced),
  };
}

/** Locks sessions, in the order of their ids as everybody does who locks several, and loads what belongs to them. */
export async function load(client: Connection, wanted: readonly Wanted[], nowMs: number): Promise<Draft[]> {
  const sessions = await run<SessionRecord>(client, lockSessions, [wanted.map(({ sessionId }) => sessionId)]);
  if (sessions.length === 0) return [];
  const ids = sessions.map(({ id }) => id);
  const accountIds = [...new Set(sessions.map(({ accountId }) => accountId))];
  const requestIds = wanted.flatMap((each) => each.requestIds);
  const openCommandIds = wanted.flatMap((each) => each.openCommandIds);
  const activations = bySession(await run<ActivationRecord>(client, readActivationsOf, [ids]));
  const signals = bySession(await run<SignalRecord>(client, readOpenSignals, [ids]));
  const commands = await run<CommandRecord>(client, readOpenCommands, [ids, accountIds, requestIds]);
  const owned = commands.filter(({ sessionId }) => sessionId !== null);
  const [sessionIds, subjectIds] = [owned.map(({ sessionId }) => sessionId), owned.map(({ subjectId }) => subjectId)];
  const stops = owned.filter(({ purpose, requestId }) => isStop(purpose) && requestIds.includes(requestId));
  const unpriced = wanted.filter((each) => each.unpriced).map(({ sessionId }) => sessionId);
  const unpricedOf = [...new Set([...unpriced, ...stops.map(({ sessionId }) => sessionId)])];
  const keys = [ids, sessionIds, subjectIds, openCommandIds, unpricedOf];
  const positions = bySession(await run<PositionRecord>(client, readOpenPositions, keys));
  const asked = new Map(wanted.map((each) => [each.sessionId, new Set(each.requestIds)]));
  const commandsOf = bySession(commands);
  const ofNone = commands.filter(({ sessionId }) => sessionId === null);
  return sessions.map((session) => {
    const { id } = session;
    const others = ofNone.filter(({ requestId }) => asked.get(id)?.has(requestId));
    return new Draft(
      {
        session,
        activations: activations.get(id) ?? [],
        signals: signals.get(id) ?? [],
        positions: positions.get(id) ?? [],
        commands: [...(commandsOf.get(id) ?? []), ...others],
      },
      nowMs,
    );
  });
}

/** One whose answer comes late may have closed what was found gone meanwhile. */
function isStop(purpose: CommandRecord['purpose']): boolean {
  return purpose === 'STOP_SESSION' || purpose === 'STOP_STRATEGY';
}

function bySession<T extends { readonly sessionId: string | null }>(rows: readonly T[]): Map<string | null, T[]> {
  return Map.groupBy(rows, ({ sessionId }) => sessionId);
}

/** Writes what was decided. Returns the sessions of which there was anything to write. */
export async function write(client: Connection, drafts: readonly Draft[]): Promise<readonly string[]> {
  const written = drafts.flatMap((draft) => {
    const result = draft.result();
    return result === undefined ? [] : [{ id: draft.session.id, ...result }];
  });
  // The sessions first: everything else refers to them.
  await put(
    client,
    writeSessions,
    written.flatMap(({ session }) => session),
  );
  await put(
    client,
    writeActivations,
    written.flatMap(({ activations }) => activations),
  );
  await put(
    client,
    writeSignals,
    written.flatMap(({ signals }) => signals),
  );
  await put(
    client,
    writePositions,
    written.flatMap(({ positions }) => positions),
  );
  await put(
    client,
    writeCommands,
    written.flatMap(({ commands }) => commands),
  );
  await put(
    client,
    writeOutcomes,
    written.flatMap(({ outcomes }) => outcomes),
  );
  await put(
    client,
    writeChanges,
    written.flatMap(({ id, changes }) => changes.map((change) => ({ ...change, sessionId: id }))),
  );
  return written.map(({ id }) => id);
}

async function put(client: Connection, statement: Statement, rows: readonly object[]): Promise<void> {
  if (rows.length > 0) await run(client, statement, [JSON.stringify(rows)]);
}
