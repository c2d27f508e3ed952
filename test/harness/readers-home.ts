import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATA_DIRECTORY_DEFAULT, type DataDirectory, dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { derivePorts, PORT_SPAN, requireFree } from '../../deploy/local/platform-ports.ts';
import { freePort } from './port.ts';
import { removeOutsideStore } from '../../deploy/local/postgres-store.ts';
import { endLeftovers } from '../../deploy/local/process-record.ts';
import { readEnv } from '../../services/platform/environment.ts';
import { onFailureKeep, theServers } from './current-run.ts';
import { until } from './until.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const LEFTOVER_STEPS = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

/** A reader's home folder with a clone in it, made of links, and a range of ports that nobody uses. */
export class ReadersHome implements AsyncDisposable {
  readonly directory: string;
  readonly clone: string;
  /** Of the platform that `npm start` brings up in the clone. */
  readonly data: DataDirectory;
  readonly port: number;
  readonly env: Readonly<Record<string, string | undefined>>;

  private constructor(directory: string, port: number, env: Readonly<Record<string, string | undefined>>) {
    this.directory = directory;
    this.clone = join(directory, 'strategos');
    this.data = dataDirectoryAt(join(this.clone, DATA_DIRECTORY_DEFAULT));
    this.port = port;
    this.env = env;
  }

  static async make(): Promise<ReadersHome> {
    const { natsBinary, directory: run } = await theServers();
    const homes = join(run, 'homes');
    await mkdir(homes, { recursive: true });
    const directory = await mkdtemp(join(homes, 'home-'));
    // Postgres may run as another user, which has to get in.
    await chmod(directory, 0o755);
    const port = await freePlatformPort();
    const { PATH = '', HOME } = readEnv();
    const home = new ReadersHome(directory, port, {
      PATH: [PATH, dirname(natsBinary)].join(delimiter),
      HOME,
      STRATEGOS_PORT: String(port),
      // Neither the reader's npm settings nor news about npm belong to the tour.
      npm_config_userconfig: '/dev/null',
      npm_config_update_notifier: 'false',
    });
    await onFailureKeep(home.data.root, () => Promise.resolve());
    await mkdir(home.clone);
    for (const name of cloned()) await symlink(join(REPOSITORY, name), join(home.clone, name));
    return home;
  }

  /** Ends whatever a failed tour has left running. The folder goes with the run's, so that a failure's logs can be kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await endLeftovers(this.data.records, () => LEFTOVER_STEPS);
    await removeOutsideStore(this.data.root);
  }
}

/** What stands at the top of a clone after `npm ci`: nothing that somebody's own tour has left in this one. */
function cloned(): ReadonlySet<string> {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const paths = execFileSync('git', words, { cwd: REPOSITORY, encoding: 'utf8' }).trim().split('\n');
  return new Set([...paths.map((path) => path.replace(/\/.*/, '')), 'node_modules']);
}

/** A gateway port from which everything that is counted up is free. */
function freePlatformPort(): Promise<number> {
  return until(async () => {
    const port = await freePort(PORT_SPAN + 1);
    await requireFree(derivePorts(port, { command: 1, evaluator: 1 }), true);
    return port;
  }, 'a range of free ports');
}
