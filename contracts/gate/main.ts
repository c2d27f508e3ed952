import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../services/platform/errors.ts';
import { startServers } from '../../test/harness/servers.ts';
import { runGate } from './gate.ts';
import { asJunit, asTable } from './report.ts';

// The gate by itself, for any pipeline: exit code 0 when every supported release stays whole, 1 when one would break or a check of
// it could not be carried out, 2 when the gate could not be run.
try {
  const { values } = parseArgs({ options: { junit: { type: 'string' } } });
  // What an earlier run has said must not be read as what this one says, should it come to nothing.
  if (values.junit !== undefined) await rm(values.junit, { force: true });
  const { servers, running } = await startServers();
  try {
    const verdicts = await runGate(servers, new Date().toISOString().slice(0, 10));
    process.stdout.write(`${asTable(verdicts)}\n`);
    if (values.junit !== undefined) {
      await mkdir(dirname(values.junit), { recursive: true });
      await writeFile(values.junit, asJunit(verdicts));
    }
    process.exitCode = verdicts.some(({ findings }) => findings.length > 0) ? 1 : 0;
  } finally {
    await running.stop();
  }
} catch (thrown) {
  process.stderr.write(`contracts: the gate could not be run: ${messageOf(thrown)}\n`);
  process.exitCode = 2;
}
