import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkGenerated } from './generated.ts';

const GENERATED = fileURLToPath(new URL('../../proto/gen', import.meta.url));

test('code that does not come out of the protos is named, whatever was done to it', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'strategos-edited-'));
  try {
    await cp(GENERATED, directory, { recursive: true });
    const types = join(directory, 'strategos/command/v1/command_pb.d.ts');
    await writeFile(types, (await readFile(types, 'utf8')).replace('createTime?', 'creationTime?'));
    await appendFile(join(directory, 'strategos/command/v1/kind_pb.js'), '// by hand\n');
    await rm(join(directory, 'strategos/market/v1/market_pb.js'));
    await writeFile(join(directory, 'strategos/market/v1/old_pb.js'), '');
    const { findings } = await checkGenerated(directory);
    expect(findings.map(({ place, what }) => `${place} ${what}`)).toEqual([
      'proto/gen/strategos/command/v1/command_pb.d.ts is not what comes out of the protos',
      'proto/gen/strategos/command/v1/kind_pb.js is not what comes out of the protos',
      'proto/gen/strategos/market/v1/market_pb.js is not there',
      'proto/gen/strategos/market/v1/old_pb.js no proto makes it any more',
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
