import { isDeepStrictEqual } from 'node:util';
import { create, fromJson, isMessage, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf';
import { PactV4 } from '@pact-foundation/pact';
import {
  type StrategyChange,
  StrategyChangeSchema,
  StrategySchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import {
  type WatchChangesResponse,
  WatchChangesResponseSchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { definitionOf } from '../../services/evaluator/strategies/account-strategies.ts';
import { compileStrategy } from '../../services/evaluator/domain/compiled-strategy.ts';
import { rulesFromProto } from '../../services/evaluator/wire/rules-from-proto.ts';
import { until } from '../../test/harness/until.ts';
import { type ChangeName, CHANGES, descOf, SAMPLE_STRATEGY_ID, sampleChanges } from '../golden/strategy-changes.ts';
import { documentOf, objectOf } from '../schema/json.ts';
import { EvaluatorBench } from './evaluator-bench.ts';
import { needsOf } from './matchers.ts';
import { Reads } from './reads.ts';

/** Names of the pact: who needs what of whom. */
const EVALUATOR_PACT = { consumer: 'evaluator', provider: 'strategy' } as const;
/** State of the provider, by the name that both sides know it by. */
export const CHANGES_STATE = 'an account whose strategy was created, updated and deleted';

/** Writes the pact `evaluator-strategy`: each message is handled by the evaluator's real cache on the way. */
export async function writeEvaluatorMessages(directory: string): Promise<void> {
  for (const { name, message } of sampleChanges()) {
    const desc = descOf(name);
    const json = objectOf(toJson(desc, message));
    const reads = new Reads();
    await reaction(name, json, reads);
    const needed = objectOf(reads.needed(json) ?? null);
    await new PactV4({ ...EVALUATOR_PACT, dir: directory, logLevel: 'error' })
      .addAsynchronousInteraction()
      .given(CHANGES_STATE)
      .expectsToReceive(name, (wanted) => wanted.withJSONContent(needsOf(desc, needed)))
      // That it is enough is shown by saying it again with nothing else in it.
      .executeTest(async ({ contents }) => {
        await reaction(name, objectOf(documentOf<JsonValue>(JSON.stringify(contents.content))));
      });
  }
}

/** Says one message to the cache, where it means something, and checks that the cache does what it asks. */
async function reaction(name: ChangeName, json: JsonObject, reads = new Reads()): Promise<void> {
  if (name === CHANGES.watched || name === CHANGES.checkpoint) {
    await watchedReaction(name, fromJson(WatchChangesResponseSchema, json), reads);
    return;
  }
  await using bench = new EvaluatorBench();
  const { strategies } = bench;
  await bench.reading(1);
  const change = fromJson(StrategyChangeSchema, json);
  const say = (): void => strategies.hint(reads.watch(StrategyChangeSchema, change));
  for (const earlier of earlierThan(name)) strategies.hint(earlier);
  say();
  if (name === CHANGES.reminder) {
    // It is told of a revision that it has not.
    expect((await bench.reading(2)).sinceRevision === 0n, 'the cache reads the log from where it is');
    strategies.hint(otherStrategy());
    say();
    // It has the revision, but not what the reminder says that it is.
    expect((await bench.reading(3)).sinceRevision === 0n, 'the cache begins again at another digest');
    return;
  }
  expect(strategies.applied === Number(change.revision), 'the revision is applied');
  if (name === CHANGES.deleted) expect(strategies.get(SAMPLE_STRATEGY_ID) === undefined, 'the strategy is gone');
  else runs(bench, Number(change.revision));
}

async function watchedReaction(name: ChangeName, said: WatchChangesResponse, reads: Reads): Promise<void> {
  const watch = { on: false };
  await using bench = new EvaluatorBench((each) => (watch.on ? reads.watch(WatchChangesResponseSchema, each) : each));
  const { log } = await bench.reading(1);
  if (name === CHANGES.checkpoint) bench.strategies.hint(otherStrategy());
  watch.on = true;
  log.push(said);
  if (name === CHANGES.checkpoint) {
    expect((await bench.reading(2)).sinceRevision === 0n, 'the cache begins again at another digest');
    return;
  }
  await until(() => bench.strategies.applied === 1, 'the revision of the log is applied');
  runs(bench, 1);
}

/** What was published before, for it to be the next revision. */
function earlierThan(name: ChangeName): StrategyChange[] {
  const order = [CHANGES.created, CHANGES.updated, CHANGES.deleted];
  const at = order.findIndex((each) => each === name);
  return order.slice(0, Math.max(0, at)).map(publishedAs);
}

function publishedAs(name: ChangeName): StrategyChange {
  const message = sampleChanges().find((each) => each.name === name)?.message;
  if (message === undefined || !isMessage(message, StrategyChangeSchema)) throw new Error(`there is no sample ${name}`);
  return message;
}

/** The first revision of an account that has another strategy, and so another digest. */
function otherStrategy(): StrategyChange {
  const change = publishedAs(CHANGES.created);
  return create(StrategyChangeSchema, { ...change, strategy: create(StrategySchema, { id: 'another' }), digest: '' });
}

/** The strategy as it is evaluated, stored and handed on is the one that was made. */
function runs({ strategies }: EvaluatorBench, revision: number): void {
  const cached = strategies.get(SAMPLE_STRATEGY_ID);
  const sample = publishedAs(CHANGES.created).strategy?.definition;
  if (sample === undefined) throw new Error('the sample has no definition');
  const made = definitionOf(sample);
  expect(cached?.revision === revision, 'the strategy has its revision');
  expect(isDeepStrictEqual(cached?.definition?.bytes, made.bytes), 'the definition arrives whole');
  if (cached?.definition === undefined) return;
  const [here, there] = [cached.definition, made].map(({ message }) => compileStrategy(rulesFromProto(message)));
  expect(isDeepStrictEqual(here, there), 'the rules arrive');
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}
