import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { supportedReleases } from '../releases/release.ts';

const CONTRACTS = fileURLToPath(new URL('../', import.meta.url));
const TODAY = '2026-11-22';
const RELEASE = join('releases', '1.0.0');

let contracts: string;
beforeEach(async () => {
  contracts = await mkdtemp(join(tmpdir(), 'strategos contracts '));
  await cp(join(CONTRACTS, 'releases'), join(contracts, 'releases'), { recursive: true });
  await cp(join(CONTRACTS, 'support.json'), join(contracts, 'support.json'));
});
afterEach(() => rm(contracts, { recursive: true }));

function edit(file: string, change: (text: string) => string): Promise<void> {
  const path = join(contracts, file);
  return readFile(path, 'utf8').then((text) => writeFile(path, change(text)));
}

const DAMAGES: readonly (readonly [string, string, () => Promise<unknown>])[] = [
  [
    'a pact is gone',
    'pacts/console-gateway.json is gone',
    () => rm(join(contracts, RELEASE, 'pacts/console-gateway.json')),
  ],
  [
    'a pact asks for nothing',
    'pacts/cli-gateway.json was changed',
    () =>
      edit(join(RELEASE, 'pacts/cli-gateway.json'), (text) =>
        JSON.stringify({ ...JSON.parse(text), interactions: [] }),
      ),
  ],
  [
    'the pact is told not to count',
    'pacts/executor-platform.json was changed',
    () =>
      edit(join(RELEASE, 'pacts/executor-platform.json'), (text) =>
        text.replace('"pending": false', '"pending": true'),
      ),
  ],
  [
    'the transcripts are gone',
    'transcripts/connect.json is gone',
    async () => {
      await rm(join(contracts, RELEASE, 'transcripts'), { recursive: true });
      await mkdir(join(contracts, RELEASE, 'transcripts'));
    },
  ],
  ['the frames are gone', 'frames.json was changed', () => edit(join(RELEASE, 'frames.json'), () => '[]')],
  ['the descriptors are empty', 'image.binpb was changed', () => edit(join(RELEASE, 'image.binpb'), () => '')],
  [
    'a file is half written',
    'frames.json was changed',
    () => edit(join(RELEASE, 'frames.json'), (text) => text.slice(0, 100)),
  ],
  [
    'a file was added',
    'pacts/more.json was not there',
    () => writeFile(join(contracts, RELEASE, 'pacts/more.json'), '{}'),
  ],
  ['all of it is gone', 'ENOENT', () => rm(join(contracts, RELEASE), { recursive: true })],
];

test.each(DAMAGES)('a baseline of which %s is refused by name', async (_, what, damage) => {
  await damage();
  await expect(supportedReleases(TODAY, contracts)).rejects.toThrow(what);
  await expect(supportedReleases(TODAY, contracts)).rejects.toThrow(
    'contracts/releases/1.0.0 is not as it was released',
  );
});

test('a baseline whose lines end otherwise is the same', async () => {
  await edit(join(RELEASE, 'frames.json'), (text) => text.replaceAll('\n', '\r\n'));
  expect((await supportedReleases(TODAY, contracts)).map(({ version }) => version)).toEqual(['1.0.0']);
});

test.each(['soon', '31.12.2028', '2028-02-30', '2028-13-01', ''])('"%s" is no last day of support', async (day) => {
  await edit('support.json', (text) => text.replace(/"\d{4}-\d\d-\d\d"/, JSON.stringify(day)));
  await expect(supportedReleases(TODAY, contracts)).rejects.toThrow(
    `contracts/support.json says that 1.0.0 is supported until "${day}"; write a day such as "2028-12-31"`,
  );
});
