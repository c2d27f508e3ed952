import type { Pool } from 'pg';
import { v7 as uuid } from 'uuid';
import type { Alert, Channel, Notice, Verdict } from '../domain/alert.ts';
import type { AlertBook } from '../domain/alert-book.ts';
import {
  forgetRecovered,
  holdWatch,
  listAlerts,
  lockWatch,
  noteLook,
  readKnown,
  readLook,
  storeAlerts,
} from './alert-statements.ts';
import { postponeNotice, readDueNotices, removeNotice, writeNotices } from './notice-statements.ts';
import { type Connection, inTransaction, read, run } from './statement.ts';

/** The stored alerts, as this replica uses them. */
export function alertBook(pool: Pool, replicaId: string): AlertBook {
  return {
    async holdsWatch(leaseMs) {
      return (await read(pool, holdWatch, [replicaId, leaseMs])).length > 0;
    },
    known(keys) {
      const columns = [keys.map((key) => key.accountId), keys.map((key) => key.rule), keys.map((key) => key.subject)];
      return read<AlertRow>(pool, readKnown, columns);
    },
    record(verdicts, channels, nowMs) {
      return inTransaction(pool, async (client) => {
        if ((await run(client, lockWatch, [replicaId])).length === 0) return false;
        await run(client, storeAlerts, alertColumns(verdicts.map(({ alert }) => alert)));
        await write(client, verdicts, channels, nowMs);
        await run(client, noteLook, [nowMs]);
        return true;
      });
    },
    list: (accountId, { firingOnly, max }) => read<AlertRow>(pool, listAlerts, [accountId, firingOnly, max]),
    async lookMs() {
      const [row] = await read<{ lookMs: number | null }>(pool, readLook, []);
      return row?.lookMs ?? null;
    },
    due: (nowMs, max) => read<NoticeRow>(pool, readDueNotices, [nowMs, max]),
    async settled(noticeId) {
      await read(pool, removeNotice, [noticeId]);
    },
    async postponed(noticeId, dueMs) {
      await read(pool, postponeNotice, [noticeId, dueMs]);
    },
    async forget(recoveredBeforeMs) {
      await read(pool, forgetRecovered, [recoveredBeforeMs]);
    },
  };
}

/** The columns are named as the fields of the domain. */
type AlertRow = { [K in keyof Alert]: Alert[K] };
type NoticeRow = { [K in keyof Notice]: Notice[K] };

async function write(
  client: Connection,
  verdicts: readonly Verdict[],
  channels: readonly Channel[],
  nowMs: number,
): Promise<void> {
  const notices = verdicts.flatMap(({ alert, notice }) =>
    notice === undefined ? [] : channels.map((channel) => ({ ...alert, kind: notice, channel, id: uuid() })),
  );
  if (notices.length === 0) return;
  await run(client, writeNotices, [
    notices.map(({ id }) => id),
    notices.map(({ channel }) => channel),
    notices.map(({ accountId }) => accountId),
    notices.map(({ rule }) => rule),
    notices.map(({ subject }) => subject),
    notices.map(({ occurrence }) => occurrence),
    notices.map(({ kind }) => kind),
    notices.map(({ sentence }) => sentence),
    notices.map(({ next }) => next),
    notices.map(({ fireMs }) => fireMs),
    nowMs,
  ]);
}

function alertColumns(alerts: readonly Alert[]): unknown[] {
  return [
    alerts.map(({ accountId }) => accountId),
    alerts.map(({ rule }) => rule),
    alerts.map(({ subject }) => subject),
    alerts.map(({ occurrence }) => occurrence),
    alerts.map(({ state }) => state),
    alerts.map(({ sentence }) => sentence),
    alerts.map(({ next }) => next),
    alerts.map(({ fireMs }) => fireMs),
    alerts.map(({ seenMs }) => seenMs),
    alerts.map(({ noticeMs }) => noticeMs),
    alerts.map(({ recoverMs }) => recoverMs),
  ];
}
