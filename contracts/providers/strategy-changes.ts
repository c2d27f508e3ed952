import { create, fromBinary } from '@bufbuild/protobuf';
import { type StrategyChange, StrategyChangeSchema } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import {
  WatchChangesRequestSchema,
  type WatchChangesResponse,
} from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { ManualClock, systemClock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { ChangeDesk } from '../../services/strategy/delivery/change-desk.ts';
import { Relay } from '../../services/strategy/delivery/relay.ts';
import type { StrategyBook, WriteOutcome } from '../../services/strategy/domain/strategy-book.ts';
import { watchChanges } from '../../services/strategy/handlers/watch-changes.ts';
import { outboxOf } from '../../services/strategy/store/outbox-store.ts';
import { strategyBook } from '../../services/strategy/store/strategy-store.ts';
import { createDatabase } from '../../test/harness/database.ts';
import { handlerCall } from '../../test/harness/handler-context.ts';
import type { TestServers } from '../../test/harness/servers.ts';
import { until } from '../../test/harness/until.ts';
import { SAMPLE_STRATEGY } from '../golden/sample-strategy.ts';
import { SAMPLE } from '../golden/sample-values.ts';
import { CHANGES, type MadeChange, SAMPLE_STRATEGY_ID } from '../golden/strategy-changes.ts';

const AUTHOR = 'founder';
const SWEEP_MS = 1_000;
const CHANGES_MADE = 3;

/**
 * What the strategy service says about an account whose strategy was created, updated and deleted: three real rows, read back by
 * the real relay from its outbox, and by the real handler from the log.
 */
export async function changesOfRows(servers: TestServers): Promise<readonly MadeChange[]> {
  const logger = createLogger('strategy', 'silent');
  await using database = await createDatabase(servers);
  const pool = createPool({ databaseUrl: database.url, applicationName: 'contracts', connectionsMax: 2, logger });
  try {
    const book = strategyBook(pool);
    await makeRows(book);
    return [...(await published(outboxOf(pool))), ...(await watched(book))];
  } finally {
    await pool.end();
  }
}

async function makeRows(book: StrategyBook): Promise<void> {
  const desk = new ChangeDesk(book, () => undefined);
  const order = { accountId: SAMPLE.accountId, id: SAMPLE_STRATEGY_ID, author: AUTHOR };
  const fromRevision = numberOf(await desk.create({ ...order, definition: SAMPLE_STRATEGY, requestId: undefined }));
  const definition = { ...SAMPLE_STRATEGY, description: 'buys what fell far' };
  numberOf(await desk.update({ ...order, definition, fromRevision, request: undefined }));
  numberOf(await desk.delete(SAMPLE.accountId, SAMPLE_STRATEGY_ID, AUTHOR));
}

function numberOf(outcome: WriteOutcome): number {
  if (outcome.kind !== 'written') throw new Error(`a change of the sample was not written: ${outcome.kind}`);
  return outcome.revision.number;
}

/** A relay that finds the outbox full and NATS there: it publishes what was committed, and then reminds. */
async function published(outbox: ReturnType<typeof outboxOf>): Promise<MadeChange[]> {
  const said: StrategyChange[] = [];
  const publish = (_subject: string, data: Uint8Array): boolean =>
    said.push(fromBinary(StrategyChangeSchema, data)) > 0;
  const nats = { connected: true, publish, onReconnect: () => () => undefined };
  const clock = new ManualClock(SAMPLE.nowMs);
  const logger = createLogger('strategy', 'silent');
  await using relay = new Relay({ outbox, nats, clock, logger, unpublished: () => undefined });
  relay.start();
  await until(() => {
    clock.advance(SWEEP_MS);
    return said.some(isReminder) && said.filter((each) => !isReminder(each)).length === CHANGES_MADE;
  }, 'the relay publishes the outbox and reminds');
  const [created, updated, deleted] = said.filter((each) => !isReminder(each));
  const reminder = said.find(isReminder);
  if (created === undefined || updated === undefined || deleted === undefined || reminder === undefined)
    throw new Error(`the relay published ${said.length} messages, of which some are missing`);
  return [
    { name: CHANGES.created, message: created },
    { name: CHANGES.updated, message: updated },
    { name: CHANGES.deleted, message: deleted },
    { name: CHANGES.reminder, message: reminder },
  ];
}

/** A watcher that has seen nothing. */
async function watched(book: StrategyBook): Promise<MadeChange[]> {
  const { context, end } = handlerCall({ accountId: SAMPLE.accountId });
  const bell = { onChange: () => () => undefined };
  const stream = watchChanges({ book, bell, clock: systemClock })(create(WatchChangesRequestSchema), context);
  const said: WatchChangesResponse[] = [];
  for await (const each of stream) {
    said.push(each);
    if (each.change === undefined) break;
  }
  end();
  const [first] = said;
  const checkpoint = said.at(-1);
  if (first?.change === undefined || checkpoint === undefined) throw new Error('the log is empty');
  return [
    { name: CHANGES.watched, message: first },
    { name: CHANGES.checkpoint, message: checkpoint },
  ];
}

function isReminder({ strategy }: StrategyChange): boolean {
  return strategy === undefined;
}
