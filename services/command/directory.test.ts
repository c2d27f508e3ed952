import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sampleExecutor } from '../../test/harness/sample-executors.ts';
import { sampleId } from '../../test/harness/sample-commands.ts';
import { ManualClock } from '../platform/clock.ts';
import { StatusError } from '../platform/errors.ts';
import { CachedDirectory } from './directory.ts';
import type { Executor } from './domain/executor.ts';

const vps1 = sampleExecutor({ id: sampleId(1), name: 'vps-1' });
const foreign = sampleExecutor({ id: sampleId(2), name: 'vps-2', accountId: 'other' });

/** A directory over rows that a test may change, with a record of what was loaded. */
function setUp(initial: readonly Executor[] = [vps1, foreign]) {
  const rows = [...initial];
  const loads: string[][] = [];
  const clock = new ManualClock();
  let gate: Promise<void> = Promise.resolve();
  const directory = new CachedDirectory(async (keys) => {
    loads.push(keys.map(({ accountId, nameOrId }) => `${accountId}/${nameOrId}`));
    const found = keys.map(({ accountId, nameOrId }) =>
      rows.find((row) => row.accountId === accountId && (row.name === nameOrId || row.id === nameOrId)),
    );
    await gate;
    return found;
  }, clock);
  return {
    directory,
    loads,
    rows,
    clock,
    hold: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

describe('the directory', () => {
  test('finds by name and by id, in whatever case, within the account alone', async () => {
    const { directory } = setUp();
    expect(await directory.find('main', 'vps-1')).toBe(vps1);
    expect(await directory.find('main', vps1.id.toUpperCase())).toBe(vps1);
    expect(await directory.find('main', 'vps-2')).toBeUndefined();
    expect(await directory.find('main', foreign.id)).toBeUndefined();
    const refused = await directory.resolve('main', foreign.id).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(StatusError);
    expect(refused).toMatchObject({ code: 'NotFound', reason: 'RESOURCE_NOT_FOUND', metadata: { name: foreign.id } });
  });

  test('asks once for what many ask for at once, and together for the rest', async () => {
    const { directory, loads } = setUp();
    await Promise.all([
      directory.find('main', 'vps-1'),
      directory.find('main', 'vps-1'),
      directory.find('main', 'nobody'),
      directory.find('other', 'vps-2'),
    ]);
    expect(loads).toEqual([['main/vps-1', 'main/nobody', 'other/vps-2']]);
  });

  test('knows by its id what was asked for by name, and the other way round', async () => {
    const { directory, loads } = setUp();
    await directory.find('main', 'vps-1');
    await directory.find('main', vps1.id);
    directory.invalidate(vps1.id);
    await directory.find('main', vps1.id);
    await directory.find('main', 'vps-1');
    expect(loads).toEqual([['main/vps-1'], [`main/${vps1.id}`]]);
  });

  test('remembers for a second and no longer', async () => {
    const { directory, loads, clock } = setUp();
    await directory.find('main', 'vps-1');
    clock.advance(999);
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(1);
    clock.advance(1);
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(2);
  });

  test('remembers for no longer when the wall clock is set back', async () => {
    const { directory, loads, clock } = setUp();
    await directory.find('main', 'vps-1');
    clock.step(-7_200_000);
    clock.advance(1_000);
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(2);
  });

  test('remembers longer while somebody looks for changes, and forgets what is told to have changed', async () => {
    const { directory, loads, clock } = setUp();
    await directory.find('main', 'vps-1');
    clock.advance(5_000);
    directory.changed([foreign.id], clock.steadyMs());
    clock.advance(999);
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(1);
    directory.changed([vps1.id], clock.steadyMs());
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(2);
  });

  test('reads together beforehand what will be asked for, what has changed and what ages', async () => {
    const { directory, loads, clock, rows } = setUp();
    const answered = async (load: number): Promise<void> => {
      await expect.poll(() => loads.length).toBe(load);
      await setImmediate();
    };
    directory.warm('main', vps1.id);
    directory.warm('other', foreign.id);
    directory.warm('main', vps1.id);
    expect(loads).toEqual([]);
    clock.advance(100);
    await answered(1);
    expect(loads).toEqual([[`main/${vps1.id}`, `other/${foreign.id}`]]);
    expect(await directory.find('main', 'vps-1')).toBe(vps1);

    const disabled = { ...vps1, disableMs: 1 };
    rows[0] = disabled;
    directory.changed([vps1.id, sampleId(3)], clock.steadyMs());
    clock.advance(100);
    await answered(2);
    expect(loads[1]).toEqual([`main/${vps1.id}`]);
    expect(await directory.find('main', 'vps-1')).toBe(disabled);

    clock.advance(20_001);
    directory.changed([], clock.steadyMs());
    // Still good, and read again behind it.
    expect(await directory.find('main', 'vps-1')).toBe(disabled);
    expect(loads).toHaveLength(2);
    clock.advance(100);
    await answered(3);
    clock.advance(10_000);
    directory.changed([], clock.steadyMs());
    expect(await directory.find('main', 'vps-1')).toBe(disabled);
    expect(loads).toHaveLength(3);
  });

  test('tells who asks why a read beforehand failed', async () => {
    let fails = true;
    const clock = new ManualClock();
    const directory = new CachedDirectory(
      () => (fails ? Promise.reject(new Error('away')) : Promise.resolve([vps1])),
      clock,
    );
    directory.warm('main', vps1.id);
    clock.advance(100);
    await expect(directory.find('main', vps1.id)).rejects.toThrow('away');
    fails = false;
    expect(await directory.find('main', vps1.id)).toBe(vps1);
  });

  test('does not rest on a look that is over a second old, nor on looks alone for ever', async () => {
    const { directory, loads, clock } = setUp();
    await directory.find('main', 'vps-1');
    clock.advance(1_500);
    directory.changed([], clock.steadyMs() - 1_000);
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(2);
    clock.advance(30_000);
    directory.changed([], clock.steadyMs());
    await directory.find('main', 'vps-1');
    expect(loads).toHaveLength(3);
  });

  test('does not remember what is not there', async () => {
    const { directory, rows } = setUp([]);
    expect(await directory.find('main', 'vps-1')).toBeUndefined();
    rows.push(vps1);
    expect(await directory.find('main', 'vps-1')).toBe(vps1);
  });

  test('forgets an executor under its name and its id', async () => {
    const { directory, rows } = setUp();
    await directory.find('main', 'vps-1');
    await directory.find('main', vps1.id);
    const disabled = { ...vps1, disableMs: 1 };
    rows[0] = disabled;
    directory.invalidate(vps1.id);
    expect(await directory.find('main', 'vps-1')).toBe(disabled);
    expect(await directory.find('main', vps1.id)).toBe(disabled);
  });

  test('reads again what was invalidated while it was being read', async () => {
    const { directory, loads, rows, hold } = setUp();
    const release = hold();
    const answer = directory.find('main', 'vps-1');
    await expect.poll(() => loads.length).toBe(1);
    const disabled = { ...vps1, disableMs: 1 };
    rows[0] = disabled;
    directory.invalidate(vps1.id);
    release();
    expect(await answer).toBe(disabled);
    expect(await directory.find('main', 'vps-1')).toBe(disabled);
    expect(loads).toHaveLength(2);
  });

  test('gives names by id and leaves out what the account does not have', async () => {
    const { directory } = setUp();
    expect(await directory.names('main', [vps1.id, vps1.id, foreign.id, sampleId(3)])).toEqual(
      new Map([[vps1.id, 'vps-1']]),
    );
  });

  test('passes a failed load on and tries again at the next call', async () => {
    let fails = true;
    const directory = new CachedDirectory(() => {
      if (fails) return Promise.reject(new Error('away'));
      return Promise.resolve([vps1]);
    }, new ManualClock());
    await expect(directory.find('main', 'vps-1')).rejects.toThrow('away');
    fails = false;
    expect(await directory.find('main', 'vps-1')).toBe(vps1);
  });
});
