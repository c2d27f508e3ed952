import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { breakingChanges, buildImage } from './image.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LINK = 'proto/strategos/command/v1/executor_link_service.proto';

test('an exception in buf.yaml hides no break', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'strategos-image-'));
  try {
    await cp(join(ROOT, 'buf.yaml'), join(directory, 'buf.yaml'));
    await cp(join(ROOT, 'proto'), join(directory, 'proto'), { recursive: true });
    const [releaseFile, todayFile] = [join(directory, 'release.binpb'), join(directory, 'today.binpb')];
    await writeFile(releaseFile, await buildImage(directory));
    const link = await readFile(join(directory, LINK), 'utf8');
    await writeFile(join(directory, LINK), link.replace('  int64 sequence = 3;', '  int32 sequence = 3;'));
    const rules = await readFile(join(directory, 'buf.yaml'), 'utf8');
    const weakened = rules.replace(/^breaking:[^]*$/m, 'breaking:\n  use: [FILE]\n  except: [FIELD_SAME_TYPE]\n');
    await writeFile(join(directory, 'buf.yaml'), weakened);
    await writeFile(todayFile, await buildImage(directory));
    expect(await breakingChanges(todayFile, releaseFile, directory)).toEqual([
      expect.stringContaining('changed type from "int64" to "int32"'),
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
