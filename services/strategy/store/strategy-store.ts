import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Definition } from '../domain/definition.ts';
import { toJsonText } from '../domain/json-form.ts';
import { isId } from '../domain/read-definition.ts';
import type { ChangeType, Revision, StrategyBook, WriteOutcome } from '../domain/strategy-book.ts';
import { type RevisionRow, readRevisionRow, storedDefinition } from './revision-row.ts';
import { inTransaction, run } from './statement.ts';
import {
  addStrategyAccount,
  addUpdateRequest,
  findStrategy,
  findUpdateRequest,
  listStrategies,
  lockStrategyAccount,
  readChangesAfter,
  readNewestRevisions,
  readRevisions,
  readStrategyAccount,
  readStrategyFacts,
  writeRevision,
} from './strategy-statements.ts';

/** Digest of an account without strategies. */
const EMPTY_DIGEST = createHash('sha256').digest('hex');

interface FactsRow {
  readonly id: string;
  readonly name: string;
  readonly revision: number;
  readonly create_revision: number;
  readonly deleted: boolean;
  readonly request_id: string | null;
  readonly request_digest: string | null;
  readonly definition: string;
}

interface RequestRow {
  readonly digest: string;
  readonly strategy_id: string;
  readonly revision: number;
}

interface RevisionToWrite {
  readonly accountId: string;
  readonly id: string;
  readonly type: ChangeType;
  readonly name: string;
  readonly json: string;
  readonly author: string;
  readonly request?: { readonly id: string; readonly digest: string } | undefined;
}

/** The account as a change sees it: locked, with everything that the change has to look at. */
interface Desk {
  readonly client: PoolClient;
  readonly facts: readonly FactsRow[];
  readonly write: (order: RevisionToWrite) => Promise<WriteOutcome>;
  readonly read: (strategyId: string, number: number) => Promise<WriteOutcome>;
}

/** The stored strategies. */
export function strategyBook(pool: Pool): StrategyBook {
  return {
    create({ accountId, id, definition, author, requestId }) {
      const json = toJsonText(definition);
      const request = requestId === undefined ? undefined : { id: requestId, digest: sha256(json) };
      const { strategyName: name } = definition;
      return change(pool, accountId, { name, id, requestId }, async ({ facts, write, read }) => {
        const made = facts.find((row) => request !== undefined && row.request_id === request.id);
        if (made !== undefined) {
          return made.request_digest === request?.digest
            ? read(made.id, made.create_revision)
            : { kind: 'request_reused', strategyId: made.id };
        }
        if (facts.some((row) => row.name === name && !row.deleted)) return { kind: 'name_taken' };
        return write({ accountId, id, type: 'CREATED', name, json, author, request });
      });
    },
    update({ accountId, id, fromRevision, definition, author, request }) {
      const { strategyName: name } = definition;
      const json = toJsonText(definition);
      const decide = async ({ facts, write, read }: Desk): Promise<WriteOutcome> => {
        const own = facts.find((row) => row.id === id);
        if (own === undefined || own.deleted) return { kind: 'not_found' };
        if (own.revision !== fromRevision) return { kind: 'stale', current: own.revision };
        if (same(storedDefinition(own.definition), definition)) return read(id, own.revision);
        if (facts.some((row) => row.name === name && row.id !== id && !row.deleted)) return { kind: 'name_taken' };
        return write({ accountId, id, type: 'UPDATED', name, json, author });
      };
      return change(pool, accountId, { name, id }, async (desk) => {
        if (request === undefined) return decide(desk);
        const { client, read } = desk;
        const digest = sha256(JSON.stringify([request.named, fromRevision, json]));
        const [made] = await run<RequestRow>(client, findUpdateRequest, [accountId, request.id]);
        if (made !== undefined) {
          return made.digest === digest
            ? read(made.strategy_id, made.revision)
            : { kind: 'request_reused', strategyId: made.strategy_id };
        }
        const outcome = await decide(desk);
        if (outcome.kind === 'written' || outcome.kind === 'kept') {
          await run(client, addUpdateRequest, [accountId, request.id, digest, id, outcome.revision.number]);
        }
        return outcome;
      });
    },
    async updatedBy(accountId, requestId) {
      return (await run<RequestRow>(pool, findUpdateRequest, [accountId, requestId]))[0]?.strategy_id;
    },
    delete(accountId, id, author) {
      return change(pool, accountId, { id }, async ({ facts, write, read }) => {
        const own = facts.find((row) => row.id === id);
        if (own === undefined) return { kind: 'not_found' };
        if (own.deleted) return read(id, own.revision);
        return write({ accountId, id, type: 'DELETED', name: own.name, json: own.definition, author });
      });
    },
    async find(accountId, nameOrId) {
      const values = isId(nameOrId) ? [accountId, null, nameOrId] : [accountId, nameOrId, null];
      return (await run<{ id: string }>(pool, findStrategy, values))[0]?.id;
    },
    async get(accountId, strategyId, number) {
      const [row] = await run<RevisionRow>(pool, readRevisions, [accountId, strategyId, number, 1]);
      return row === undefined ? undefined : readRevisionRow(row);
    },
    async list(accountId, afterName, strategiesMax) {
      const values = [accountId, afterName, strategiesMax];
      const rows = await run<RevisionRow & { readonly name: string }>(pool, listStrategies, values);
      return rows.map((row) => ({ name: row.name, revision: readRevisionRow(row) }));
    },
    async newest(accountId, strategyIds) {
      const values = [accountId, strategyIds.filter(isId)];
      const rows = await run<{ id: string; revision: number }>(pool, readNewestRevisions, values);
      return new Map(rows.map(({ id, revision }) => [id, revision]));
    },
    async revisions(accountId, strategyId, belowNumber, max) {
      const values = [accountId, strategyId, belowNumber - 1, max];
      return (await run<RevisionRow>(pool, readRevisions, values)).map(readRevisionRow);
    },
    async account(accountId) {
      const [row] = await run<{ revision: number; digest: string }>(pool, readStrategyAccount, [accountId]);
      return row ?? { revision: 0, digest: EMPTY_DIGEST };
    },
    async changesAfter(accountId, revision, changesMax) {
      const rows = await run<ChangesRow>(pool, readChangesAfter, [accountId, revision, changesMax]);
      const [first] = rows;
      if (first === undefined) return { revision: 0, digest: EMPTY_DIGEST, changes: [] };
      const changes = rows.flatMap((row) =>
        row.number === null ? [] : [readRevisionRow({ ...row, number: row.number })],
      );
      return { revision: first.newest, digest: first.newest_digest, changes };
    },
  };
}

type ChangesRow = Omit<RevisionRow, 'number'> & {
  readonly number: number | null;
  readonly newest: number;
  readonly newest_digest: string;
};

/** Runs one change of an account under the lock of its row: the revision, the digest and the outbox commit with it. */
function change(
  pool: Pool,
  accountId: string,
  { name, id, requestId }: { readonly name?: string; readonly id: string; readonly requestId?: string | undefined },
  decide: (desk: Desk) => Promise<WriteOutcome>,
): Promise<WriteOutcome> {
  return inTransaction(pool, async (client) => {
    const number = (await lock(client, accountId)) + 1;
    const facts = await run<FactsRow>(client, readStrategyFacts, [accountId, name ?? null, id, requestId ?? null]);
    return decide({
      client,
      facts,
      write: async (order) => ({ kind: 'written', revision: await insertRevision(client, number, order) }),
      read: async (strategyId, upTo) => {
        const [row] = await run<RevisionRow>(client, readRevisions, [accountId, strategyId, upTo, 1]);
        return row === undefined ? { kind: 'not_found' } : { kind: 'kept', revision: readRevisionRow(row) };
      },
    });
  });
}

/** The account's newest revision; its row is made when it is missing. */
async function lock(client: PoolClient, accountId: string): Promise<number> {
  const [known] = await run<{ revision: number }>(client, lockStrategyAccount, [accountId]);
  if (known !== undefined) return known.revision;
  await run(client, addStrategyAccount, [accountId]);
  const [made] = await run<{ revision: number }>(client, lockStrategyAccount, [accountId]);
  if (made === undefined) throw new Error('an account that was just made is not there');
  return made.revision;
}

async function insertRevision(client: PoolClient, number: number, order: RevisionToWrite): Promise<Revision> {
  const { accountId, id, type, name, json, author, request } = order;
  const values = [accountId, number, id, type, name, json, author, request?.id ?? null, request?.digest ?? null];
  const [row] = await run<Pick<RevisionRow, 'digest' | 'time' | 'create_time'>>(client, writeRevision, values);
  if (row === undefined) throw new Error('a revision was written and not returned');
  return readRevisionRow({
    ...row,
    // An UPDATE tells the time of creation as it was; an INSERT, its own.
    account_id: accountId,
    number,
    type,
    strategy_id: id,
    definition: json,
    author,
  });
}

function same(stored: Definition | undefined, wanted: Definition): boolean {
  return stored !== undefined && toJsonText(stored) === toJsonText(wanted);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
