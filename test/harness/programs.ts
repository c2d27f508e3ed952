import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serviceEntry } from '../../deploy/local/service-environment.ts';
import { readEnv } from '../../services/platform/environment.ts';

const CLI_ENTRY = fileURLToPath(new URL('../../services/cli/strategos.js', import.meta.url));
/** Tells the workers of a run where its built programs are. */
export const PROGRAMS_VARIABLE = 'STRATEGOS_TEST_PROGRAMS';

export const SERVICES = [
  'command',
  'gateway',
  'strategy',
  'market',
  'session',
  'backtest',
  'evaluator',
  'alert',
  'executor',
] as const;

export type ServiceName = (typeof SERVICES)[number];

/** Where a program of the platform is, and what its environment is to say besides. */
export interface Program {
  /** Absolute path. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A service as tests start it. A start from the sources reads five hundred files and costs twice as much processor time as one
 * from the few that these were built into for the run. Outside a test run, in watch mode and where nothing can be written
 * beside the packages it is the sources themselves, as always for `strategos up`, whose tests show that they run as they are.
 */
export function serviceProgram(service: ServiceName): Program {
  return builtProgram(service) ?? { entry: serviceEntry(service), env: {} };
}

/** The command line as it is installed. */
export const CLI_SOURCE: Program = { entry: CLI_ENTRY, env: {} };

/** The command line, as `serviceProgram`. */
export function cliProgram(): Program {
  return builtProgram('strategos') ?? CLI_SOURCE;
}

function builtProgram(name: string): Program | undefined {
  const folder = readEnv()[PROGRAMS_VARIABLE];
  if (folder === undefined) return undefined;
  return { entry: join(folder, `${name}.js`), env: { NODE_COMPILE_CACHE: join(folder, 'compiled') } };
}
