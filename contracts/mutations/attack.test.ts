import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Stack } from '../../services/platform/lifecycle.ts';
import { theServers } from '../../test/harness/current-run.ts';
import type { Subject } from '../gate/checks.ts';
import { assembleSubject } from '../gate/gate.ts';
import type { MadeFrame } from '../golden/frame.ts';
import { todaysFrames } from '../golden/make.ts';
import { type Release, supportedReleases } from '../releases/release.ts';
import { attack } from './attack.ts';
import { BUILDER_MUTATIONS, DOOR_MUTATIONS } from './builders.ts';
import { PROTO_MUTATIONS } from './protos.ts';

const MUTATIONS = [...PROTO_MUTATIONS, ...BUILDER_MUTATIONS, ...DOOR_MUTATIONS];

describe('the gate is attacked', () => {
  const stack = new Stack();
  const caught = new Map<string, readonly string[]>();
  let subject: Subject;
  let release: Release;
  let made: readonly MadeFrame[];

  beforeAll(async () => {
    subject = await assembleSubject(await theServers(), stack);
    const [oldest] = await supportedReleases(new Date().toISOString().slice(0, 10));
    if (oldest === undefined) throw new Error('no release is supported');
    release = oldest;
    made = (await todaysFrames()).frames;
  });
  afterAll(() => stack.stop());

  test.each(
    MUTATIONS.map((mutation) => ({ mutation, name: mutation.name, verb: mutation.breaks ? 'catches' : 'allows' })),
  )('$verb: $name', { timeout: 60_000 }, async ({ mutation }) => {
    const { caughtBy, said } = await attack(mutation, subject, release, made);
    caught.set(mutation.name, caughtBy);
    expect({ caught: caughtBy.length > 0, said: mutation.breaks ? '' : said }).toEqual({
      caught: mutation.breaks,
      said: '',
    });
  });

  test('both rates are 100 %', () => {
    const rate = (breaks: boolean): string => {
      const all = MUTATIONS.filter((mutation) => mutation.breaks === breaks);
      const right = all.filter(({ name }) => (caught.get(name) ?? []).length > 0 === breaks);
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
});
