import { messageOf } from '../../services/platform/errors.ts';
import { makeRelease } from './make.ts';

const [, , version = ''] = process.argv;
try {
  process.stdout.write(`made ${await makeRelease(version)}\n`);
} catch (thrown) {
  process.stderr.write(`contracts:release: ${messageOf(thrown)}\n`);
  process.exitCode = 1;
}
