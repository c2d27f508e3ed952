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
    const { caughtBy, said } = attacked;
    caught.set(mutation.name, caughtBy);
    expect({ caught: caughtBy !== '', said: mutation.breaks ? '' : said }).toEqual({
      caught: mutation.breaks,
      said: '',
    });
  });

  test('both rates are 100 %', () => {
    const rate = (breaks: boolean): string => {
      const all = MUTATIONS.filter((mutation) => mutation.breaks === breaks);
      const right = all.filter(({ name }) => ((caught.get(name) ?? '') !== '') === breaks);
      return `${right.length} of ${all.length}`;
    };
    process.stdout.write(`breaking changes caught: ${rate(true)}; harmless changes passed: ${rate(false)}\n`);
    expect(rate(true)).toBe(
      `${MUTATIONS.filter(({ breaks }) => breaks).length} of ${MUTATIONS.filter(({ breaks }) => breaks).length}`,
    );
    expect(rate(false)).toBe(
      `${MUTATIONS.filter(({ breaks }) => !breaks).length} of ${MUTATIONS.filter(({ breaks }) => !breaks).length}`,
    );
    expect(MUTATIONS.filter(({ breaks }) => breaks).length).toBeGreaterThan(50);
  });

  test('each check catches what the ones before it do not', () => {
    expect([...new Set(caught.values())].toSorted()).toEqual(['', 'golden bytes', 'pacts', 'schema', 'transcripts']);
  });
});
