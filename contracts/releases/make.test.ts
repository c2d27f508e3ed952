import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeRelease } from './make.ts';
import { readSupport, releaseDirectory } from './release.ts';

test('a baseline that is there is not made again unless somebody says that it is not out', async () => {
  const [version = ''] = Object.keys(await readSupport());
  const frames = (): Promise<string> => readFile(join(releaseDirectory(version), 'frames.json'), 'utf8');
  const before = await frames();
  await expect(makeRelease(version)).rejects.toThrow(
    `the baseline of ${version} exists, and what agents in the field need does not change: raise the version, or add --unreleased while no agent of ${version} is out`,
  );
  expect(await frames()).toBe(before);
});

test('a version is three numbers', async () => {
  await expect(makeRelease('next')).rejects.toThrow('"next" is no version');
});
