import { RULE_SECTIONS, SECTION_BIT, inputsOf, sectionsOf } from '../domain/compiled-strategy.ts';
import type { InstanceBook } from '../domain/instance-book.ts';
import type { LiveView } from '../domain/live-view.ts';
import type { Runner } from './runner.ts';
import type { StrategyShelf } from './strategy-shelf.ts';

/** An instance as it is run here; undefined when it is not. */
export function liveView(runner: Runner, instanceId: string): LiveView | undefined {
  const instance = runner.get(instanceId);
  if (instance === undefined) return undefined;
  const { book } = runner.deskOf(instance);
  const looked = sectionsOf(instance.strategy, instance.data.state);
  const note = instance.freshness === 'FRESH' || instance.freshness === '' ? '' : 'stale';
  return {
    data: instance.data,
    freshness: instance.freshness,
    evaluatedMs: book.throughOf(instance).timeMs,
    paused: instance.paused,
    sections: RULE_SECTIONS.map((section) => ({
      section,
      active: (looked & SECTION_BIT[section]) !== 0,
      conditions: book.inputs(instance, section, note),
    })),
    valuesKnown: true,
  };
}

/** An instance as it was stored last, with its conditions but without values; undefined when its strategy cannot be had. */
export async function storedView(
  book: InstanceBook,
  shelf: StrategyShelf,
  accountId: string,
  instanceId: string,
): Promise<LiveView | undefined> {
  const row = (await book.getMany(accountId, [instanceId])).get(instanceId);
  if (row === undefined || row.runningRevision === 0) return undefined;
  const { strategyId, runningRevision: revision } = row;
  const { strategy } = await shelf.ready({ accountId, strategyId, revision });
  const looked = sectionsOf(strategy, row.data.state);
  return {
    data: row.data,
    freshness: row.freshness,
    evaluatedMs: row.evaluatedMs,
    paused: row.paused,
    sections: RULE_SECTIONS.map((section) => ({
      section,
      active: (looked & SECTION_BIT[section]) !== 0,
      conditions: inputsOf(strategy, section, () => Number.NaN).map((condition) => ({
        ...condition,
        note: 'not known: its evaluator was not reached',
      })),
    })),
    valuesKnown: false,
  };
}
