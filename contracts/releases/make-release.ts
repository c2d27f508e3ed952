import { parseArgs } from 'node:util';
import { messageOf } from '../../services/platform/errors.ts';
import { makeRelease } from './make.ts';

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { unreleased: { type: 'boolean' } } });
  const [version = ''] = positionals;
  process.stdout.write(`made ${await makeRelease(version, { unreleased: values.unreleased === true })}\n`);
} catch (thrown) {
  process.stderr.write(`contracts:release: ${messageOf(thrown)}\n`);
  process.exitCode = 1;
}
