import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readEnv } from '../../services/platform/environment.ts';
import type { Found } from '../gate/checks.ts';
import { REMEDY } from '../gate/finding.ts';
import { stderrOf } from './image.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAMS = join(ROOT, 'node_modules', '.bin');
/** Where buf.gen.yaml puts it, below a folder of one's choice. */
const GENERATED = join('proto', 'gen');

/**
 * Whether the generated code is what comes out of the protos. The protos are held against releases; what runs is the generated
 * code, so that one must be the other. `directory` holds the generated code; default: this repository's.
 */
export async function checkGenerated(directory = join(ROOT, GENERATED)): Promise<Found> {
  const fresh = await mkdtemp(join(tmpdir(), 'strategos-generated-'));
  try {
    await generate(fresh);
    const [due, kept] = await Promise.all([textsIn(join(fresh, GENERATED)), textsIn(directory)]);
    const names = [...new Set([...due.keys(), ...kept.keys()])].toSorted();
    const findings = names
      .filter((name) => due.get(name) !== kept.get(name))
      .map((name) => ({
        check: 'generated',
        consumer: 'this build',
        place: `proto/gen/${name}`,
        field: '-',
        what: difference(due.get(name), kept.get(name)),
        remedy: REMEDY.generate,
      }));
    return { looked: names.length, findings };
  } finally {
    await rm(fresh, { recursive: true });
  }
}

function difference(due: string | undefined, kept: string | undefined): string {
  if (due === undefined) return 'no proto makes it any more';
  return kept === undefined ? 'is not there' : 'is not what comes out of the protos';
}

/** @throws Error with buf's own words when it cannot */
async function generate(directory: string): Promise<void> {
  const { PATH = '', HOME } = readEnv();
  // The plugin is called by its name alone.
  const env = { HOME, PATH: `${PROGRAMS}${delimiter}${PATH}` };
  try {
    await promisify(execFile)(join(PROGRAMS, 'buf'), ['generate', '-o', directory], { cwd: ROOT, env });
  } catch (thrown) {
    throw new Error(`nothing can be generated from the protos: ${stderrOf(thrown)}`, { cause: thrown });
  }
}

/** Texts by their paths below the folder, with lines that end alike. */
async function textsIn(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const texts = files.map(async (file) => {
    const text = await readFile(file, 'utf8');
    return [file.slice(directory.length + 1).replaceAll('\\', '/'), text.replaceAll('\r\n', '\n')] as const;
  });
  return new Map(await Promise.all(texts));
}
