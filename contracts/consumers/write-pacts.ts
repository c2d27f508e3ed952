import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readEnv } from '../../services/platform/environment.ts';
import { writeCliHttp } from './cli-http.ts';
import { writeEvaluatorMessages } from './evaluator-messages.ts';
import { writeExecutorExchanges } from './executor-exchanges.ts';
import { writeExecutorHttp } from './executor-http.ts';
import { writeExecutorMessages } from './executor-messages.ts';
import { writePlatformExchanges } from './platform-exchanges.ts';
import { stderrOf } from '../schema/image.ts';
import { documentOf } from '../schema/json.ts';

const CONSOLE = fileURLToPath(new URL('console-worker.ts', import.meta.url));

/** Lets every consumer say what it needs, and gives the pacts by file name, in the form in which they are kept. */
export async function makePacts(): Promise<ReadonlyMap<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'strategos-pacts-'));
  try {
    // Both to their ends, even when one fails: the folder is theirs until then.
    const writing = [writeInPages(directory), writeHere(directory)];
    await Promise.allSettled(writing);
    await Promise.all(writing);
    const names = (await readdir(directory)).toSorted();
    return new Map(
      await Promise.all(
        names.map(async (name) => [name, keep(await readFile(join(directory, name), 'utf8'))] as const),
      ),
    );
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function writeHere(directory: string): Promise<void> {
  await writeExecutorMessages(directory);
  await writeExecutorExchanges(directory);
  await writePlatformExchanges(directory);
  await writeExecutorHttp(directory);
  await writeCliHttp(directory);
  await writeEvaluatorMessages(directory);
}

/** The console's, in a process of its own. @throws Error saying what the console does not do */
async function writeInPages(directory: string): Promise<void> {
  const { PATH, HOME } = readEnv();
  const env = { PATH, HOME, NODE_ENV: 'production', PACT_DO_NOT_TRACK: 'true' };
  try {
    await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', CONSOLE, directory], { env });
  } catch (thrown) {
    throw new Error(`the console's pact cannot be written: ${stderrOf(thrown)}`, { cause: thrown });
  }
}

export async function writePacts(directory: string): Promise<readonly string[]> {
  const pacts = await makePacts();
  await mkdir(directory, { recursive: true });
  for (const [name, text] of pacts) await writeFile(join(directory, name), text);
  return [...pacts.keys()];
}

/** Without the versions of the tools that wrote it, so that it only changes when a need does. */
function keep(text: string): string {
  const pact = documentOf<{
    readonly interactions: readonly { readonly description: string; readonly type: string }[];
  }>(text);
  const interactions = pact.interactions.toSorted((a, b) =>
    `${a.type} ${a.description}`.localeCompare(`${b.type} ${b.description}`),
  );
  return `${JSON.stringify({ ...pact, interactions, metadata: { pactSpecification: { version: '4.0' } } }, null, 2)}\n`;
}
