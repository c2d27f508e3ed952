import { messageOf } from '../../services/platform/errors.ts';
import { writeSupported } from '../releases/make.ts';
import { PACTS } from '../releases/release.ts';
import { writePacts } from './write-pacts.ts';

try {
  for (const name of await writePacts(PACTS)) process.stdout.write(`wrote contracts/pacts/${name}\n`);
  await writeSupported();
} catch (thrown) {
  process.stderr.write(`contracts:pacts: ${messageOf(thrown)}\n`);
  process.exitCode = 1;
}
