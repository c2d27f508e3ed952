import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Stack } from '../../services/platform/lifecycle.ts';
import { theServers } from '../../test/harness/current-run.ts';
import { assembleSubject } from '../gate/gate.ts';
import { todaysFrames } from '../golden/make.ts';
import { supportedReleases } from '../releases/release.ts';
import { attack, type Attacked } from './attack.ts';
import { BUILDER_MUTATIONS, DOOR_MUTATIONS } from './builders.ts';
import { CONSOLE_MUTATIONS } from './console.ts';
import { DEEP_MUTATIONS } from './deep.ts';
import { EXCHANGE_MUTATIONS } from './exchanges.ts';
import { inLanes } from './lanes.ts';
import type { Mutation } from './mutation.ts';
import { PROTO_MUTATIONS } from './protos.ts';
import { STRATEGY_MUTATIONS } from './strategy.ts';

const MUTATIONS = [
  ...PROTO_MUTATIONS,
  ...BUILDER_MUTATIONS,
  ...EXCHANGE_MUTATIONS,
  ...DOOR_MUTATIONS,
  ...CONSOLE_MUTATIONS,
  ...STRATEGY_MUTATIONS,
  ...DEEP_MUTATIONS,
];

describe('the gate is attacked', () => {
  const stack = new Stack();
  const caught = new Map<string, string>();
  let attacks: ReadonlyMap<Mutation, Promise<Attacked>>;

  beforeAll(async () => {
    const subject = await assembleSubject(await theServers(), stack);
    const [release] = await supportedReleases(new Date().toISOString().slice(0, 10));
    if (release === undefined) throw new Error('no release is supported');
    const { frames, bodies } = await todaysFrames();
    const made = [...frames, ...bodies];
    attacks = await inLanes(MUTATIONS, subject, stack, (mutation, lane) => attack(mutation, lane, release, made));
  });
  afterAll(() => stack.stop());

  test.each(
    MUTATIONS.map((mutation) => ({ mutation, name: mutation.name, verb: mutation.breaks ? 'catches' : 'allows' })),
  )('$verb: $name', { timeout: 60_000 }, async ({ mutation }) => {
    const attacked = await attacks.get(mutation);
    if (attacked === undefined) throw new Error('nobody has attacked with it');
    const { caughtBy, altered, said } = attacked;
    caught.set(mutation.name, caughtBy);
    expect({ altered, caught: caughtBy !== '', said: mutation.breaks ? '' : said }).toEqual({
      altered: true,
      caught: mutation.breaks,
      said: '',
    });
  });

  test('both rates are 100 %', () => {
    const [breaking, harmless] = [true, false].map((breaks) => {
      const all = MUTATIONS.filter((mutation) => mutation.breaks === breaks);
      const wrong = all.filter(({ name }) => !caught.has(name) || (caught.get(name) !== '') !== breaks);
      return { all: all.length, right: all.length - wrong.length };
    });
    process.stdout.write(
      `breaking changes caught: ${breaking?.right} of ${breaking?.all}; harmless changes passed: ${harmless?.right} of ${harmless?.all}\n`,
    );
    expect([breaking?.right, harmless?.right]).toEqual([breaking?.all, harmless?.all]);
    expect(breaking?.all).toBeGreaterThan(100);
    expect(harmless?.all).toBeGreaterThan(20);
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });

  test('each check catches what the ones before it do not', () => {
    expect([...new Set(caught.values())].toSorted()).toEqual(['', 'golden bytes', 'pacts', 'schema', 'transcripts']);
  });
});
