import { readdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { basename, dirname, join } from 'node:path';
import { makePacts } from '../consumers/write-pacts.ts';
import { frameNames } from '../golden/frame.ts';
import { todaysFrames } from '../golden/make.ts';
import { supportedContracts, SUPPORTED_FILES } from '../releases/make.ts';
import { PACTS, readJson } from '../releases/release.ts';
import { type PactFile, readPact } from '../providers/pact-file.ts';
import type { Found } from './checks.ts';
import { type Finding, REMEDY } from './finding.ts';
import { documentOf } from '../schema/json.ts';

/** Whether the pacts say what today's consumers need, and whether every frame has a message in them. */
export async function checkCoverage(): Promise<Found> {
  const texts = await makePacts();
  const made = new Map([...texts].map(([name, text]) => [name, documentOf<PactFile>(text)]));
  const kept = new Set((await readdir(PACTS)).filter((name) => name.endsWith('.json')));
  const stale = [...kept]
    .filter((name) => !made.has(name))
    .map((name) => finding(name, '-', 'nobody writes it any more'));
  for (const [name, pact] of made) {
    if (kept.has(name)) stale.push(...differing(name, pact, await readPact(join(PACTS, name))));
    else stale.push(finding(name, '-', 'is not there'));
  }
  const messages = new Set(
    [...made.values()].flatMap(({ interactions }) => interactions.map(({ description }) => description)),
  );
  const names = frameNames('platform');
  const missing = names
    .filter((name) => !messages.has(name))
    .map((name) => finding('executor-platform.json', name, 'no consumer says what it needs of it'));
  const { unsaid } = await todaysFrames();
  const silent = unsaid
    .filter((name) => name.startsWith('platform '))
    .map((name) => finding('golden frames', name, 'no code of this build says it any more'));
  const contracts = await supportedContracts();
  const files = await Promise.all(SUPPORTED_FILES.map(async (file) => ({ file, text: await readJson<unknown>(file) })));
  const table = files
    .filter(({ text }) => !isDeepStrictEqual(text, contracts))
    .map(({ file }) =>
      finding(basename(dirname(file)), basename(file), 'differs from contracts/support.json and the baselines'),
    );
  return { looked: names.length + made.size, findings: [...stale, ...missing, ...silent, ...table] };
}

function differing(file: string, made: PactFile, kept: PactFile): Finding[] {
  const before = new Map(kept.interactions.map((each) => [`${each.type} ${each.description}`, each]));
  const now = new Map(made.interactions.map((each) => [`${each.type} ${each.description}`, each]));
  const changed = [...now].filter(([key, each]) => !isDeepStrictEqual(before.get(key), each)).map(([, each]) => each);
  const gone = [...before].filter(([key]) => !now.has(key)).map(([, each]) => each);
  return [
    ...changed.map(({ description }) =>
      finding(file, description, 'today’s consumer needs something else than the pact says'),
    ),
    ...gone.map(({ description }) =>
      finding(file, description, 'stands in the pact, and no consumer of today needs it'),
    ),
  ];
}

function finding(place: string, field: string, what: string): Finding {
  return { check: 'coverage', consumer: 'a consumer of this build', place, field, what, remedy: REMEDY.pact };
}
