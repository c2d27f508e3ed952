import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sourceDigest } from './build-programs.ts';

const FILES = [
  'services/cli/strategos.js',
  'deploy/local/up.ts',
  'proto/gen/link_pb.js',
  'contracts/supported.json',
  'package.json',
  'package-lock.json',
  'test/harness/build-programs.ts',
];

async function repository(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'strategos sources '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const file of FILES) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), '');
  }
  return folder;
}

test('programs are built anew when a source changes, and where the sources lie elsewhere', async () => {
  const folder = await repository();
  const built = await sourceDigest(folder);
  expect(await sourceDigest(folder)).toBe(built);
  await writeFile(join(folder, 'deploy/local/up.ts'), 'export {};\n');
  expect(await sourceDigest(folder)).not.toBe(built);
  await writeFile(join(folder, 'deploy/local/up.ts'), '');
  expect(await sourceDigest(folder)).toBe(built);
  // A built program reads migrations and the console where its sources were: a clone that was moved or copied has others.
  const moved = `${folder} moved`;
  onTestFinished(() => rm(moved, { recursive: true, force: true }));
  await rename(folder, moved);
  expect(await sourceDigest(moved)).not.toBe(built);
});
