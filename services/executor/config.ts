import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { Secret } from '../platform/config.ts';
import { ConfigError } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { KIND_NAMES } from './adapters/command-kinds.ts';
import type { PaperOptions } from './adapters/paper/paper-adapter.ts';
import { type ExecutorCredentials, readCredentials } from './credentials.ts';
import { parseDecimal } from './domain/decimal.ts';
import type { LocalLimits } from './domain/local-limits.ts';

/** Everything that an executor process is told before it starts. */
export interface ExecutorConfig {
  readonly credentials: ExecutorCredentials;
  readonly journalDirectory: string;
  readonly logLevel: string;
  readonly inFlightMax: number | undefined;
  readonly concurrencyMax: number | undefined;
  readonly limits: LocalLimits;
  readonly paper: PaperOptions;
  /** What works and should be looked at all the same. */
  readonly warnings: readonly string[];
}

/** What the command line says; it wins over the environment, which wins over the file. */
export interface ConfigFlags {
  readonly credentialsFile?: string | undefined;
  readonly journalDirectory?: string | undefined;
  readonly configFile?: string | undefined;
  readonly logLevel?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const text = z.string().min(1);
const list = z.union([
  z.array(z.string().min(1)),
  z.string().transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
]);
const decimal = z
  .union([z.string(), z.number().transform(String)])
  .refine((value) => parseDecimal(value)?.gt(0) ?? false, 'must be a decimal number above zero');
/** Costs of the paper venue; more than this is a slip of the finger. */
const PERCENT_MAX = 50;
const percent = z
  .union([z.string(), z.number().transform(String)])
  .refine(
    (value) => (parseDecimal(value)?.gte(0) ?? false) && (parseDecimal(value)?.lte(PERCENT_MAX) ?? false),
    `must be a decimal number from 0 to ${PERCENT_MAX}, in percent`,
  );
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const url = z.url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' });
const kinds = list.refine(
  (names) => names.every((name) => KIND_NAMES.includes(name)),
  `must be among ${KIND_NAMES.join(', ')}`,
);

/** Every setting: its name in the file (a dot is a level), its environment variable, what it may hold. */
const SETTINGS = {
  credentials: ['STRATEGOS_CREDENTIALS', text],
  keyId: ['STRATEGOS_KEY_ID', text],
  secret: ['STRATEGOS_SECRET', text],
  linkUrls: ['STRATEGOS_LINK_URLS', list.pipe(z.array(url).min(1))],
  gatewayUrl: ['STRATEGOS_GATEWAY_URL', url],
  journal: ['STRATEGOS_JOURNAL', text],
  logLevel: ['STRATEGOS_LOG_LEVEL', z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])],
  inFlightMax: ['STRATEGOS_IN_FLIGHT_MAX', count(1, 10_000)],
  concurrencyMax: ['STRATEGOS_CONCURRENCY_MAX', count(1, 1_000)],
  'limits.kinds': ['STRATEGOS_LIMIT_KINDS', kinds],
  'limits.symbols': ['STRATEGOS_LIMIT_SYMBOLS', list],
  'limits.maxQuantity': ['STRATEGOS_LIMIT_MAX_QUANTITY', decimal],
  'limits.maxNotional': ['STRATEGOS_LIMIT_MAX_NOTIONAL', decimal],
  'limits.maxOpenPositions': ['STRATEGOS_LIMIT_MAX_OPEN_POSITIONS', count(0, 1_000_000)],
  'paper.latencyMs': ['STRATEGOS_PAPER_LATENCY_MS', count(0, 3_600_000)],
  'paper.initialBalance': ['STRATEGOS_PAPER_INITIAL_BALANCE', decimal],
  'paper.maxLeverage': ['STRATEGOS_PAPER_MAX_LEVERAGE', decimal],
  'paper.feePct': ['STRATEGOS_PAPER_FEE_PCT', percent],
  'paper.spreadPct': ['STRATEGOS_PAPER_SPREAD_PCT', percent],
  'paper.slippagePct': ['STRATEGOS_PAPER_SLIPPAGE_PCT', percent],
} as const satisfies Record<string, readonly [string, z.ZodType]>;

type Settings = { [N in keyof typeof SETTINGS]?: z.infer<(typeof SETTINGS)[N][1]> };

const FLAG_NAMES = { credentialsFile: 'credentials', journalDirectory: 'journal', logLevel: 'logLevel' } as const;

/**
 * Reads flags, environment and configuration file.
 * @throws ConfigError naming every bad setting at once, each with where it was set
 */
export function loadConfig(flags: ConfigFlags, env: Environment): ExecutorConfig {
  const problems: string[] = [];
  const file = flags.configFile ?? env['STRATEGOS_EXECUTOR_CONFIG'];
  const raw = gather(
    flags,
    env,
    file === undefined || file === '' ? {} : readFile(file, problems),
    file ?? '',
    problems,
  );
  const settings: Settings = {};
  for (const [name, { value, source }] of raw) {
    const parsed = SETTINGS[name][1].safeParse(value);
    if (parsed.success) Object.assign(settings, { [name]: parsed.data });
    else problems.push(`${source}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  const found = findCredentials(settings, problems);
  if (found === undefined || problems.length > 0) {
    throw new ConfigError(
      `the executor's configuration cannot be used:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  return {
    credentials: found.credentials,
    journalDirectory: settings.journal ?? defaultJournal(settings.credentials),
    logLevel: settings.logLevel ?? 'info',
    inFlightMax: settings.inFlightMax,
    concurrencyMax: settings.concurrencyMax,
    limits: present({
      kinds: settings['limits.kinds'],
      symbols: settings['limits.symbols'],
      maxQuantity: settings['limits.maxQuantity'],
      maxNotional: settings['limits.maxNotional'],
      maxOpenPositions: settings['limits.maxOpenPositions'],
    }),
    paper: present({
      latencyMs: settings['paper.latencyMs'],
      initialBalance: settings['paper.initialBalance'],
      maxLeverage: settings['paper.maxLeverage'],
      feePct: settings['paper.feePct'],
      spreadPct: settings['paper.spreadPct'],
      slippagePct: settings['paper.slippagePct'],
    }),
    warnings: found.warnings,
  };
}

interface RawSetting {
  readonly value: unknown;
  /** Where it was set, for the error. */
  readonly source: string;
}

/** The raw settings by name; later sources win. */
function gather(
  flags: ConfigFlags,
  env: Environment,
  fromFile: Readonly<Record<string, unknown>>,
  file: string,
  problems: string[],
): Map<keyof Settings, RawSetting> {
  const raw = new Map<keyof Settings, RawSetting>();
  for (const [name, value] of Object.entries(flatten(fromFile))) {
    if (isSetting(name)) raw.set(name, { value, source: `${file}, ${name}` });
    else problems.push(`${file}, ${name}: is no setting; there are ${Object.keys(SETTINGS).join(', ')}`);
  }
  for (const name of Object.keys(SETTINGS).filter(isSetting)) {
    const [variable] = SETTINGS[name];
    const value = env[variable];
    if (value !== undefined && value !== '') raw.set(name, { value, source: variable });
  }
  for (const [flag, name] of Object.entries(FLAG_NAMES)) {
    const value: unknown = Reflect.get(flags, flag);
    if (value !== undefined) raw.set(name, { value, source: name });
  }
  return raw;
}

function isSetting(name: string): name is keyof Settings {
  return Object.hasOwn(SETTINGS, name);
}

function readFile(file: string, problems: string[]): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
    problems.push(`${file}: holds no JSON object`);
  } catch (thrown) {
    problems.push(`${file}: cannot be read: ${messageOf(thrown)}`);
  }
  return {};
}

/** `{ limits: { symbols: [...] } }` as `{ 'limits.symbols': [...] }`. */
function flatten(object: Readonly<Record<string, unknown>>, prefix = ''): Record<string, unknown> {
  const entries = Object.entries(object).map(([key, value]): Record<string, unknown> => {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return nested ? flatten({ ...value }, `${prefix}${key}.`) : { [`${prefix}${key}`]: value };
  });
  return Object.assign({}, ...entries);
}

/** From a file, from single settings, or from a file with single settings in place of some of its fields. */
function findCredentials(
  settings: Settings,
  problems: string[],
): { readonly credentials: ExecutorCredentials; readonly warnings: readonly string[] } | undefined {
  const { keyId, secret, linkUrls, gatewayUrl } = settings;
  const given = present({ keyId, secret: secret === undefined ? undefined : new Secret(secret), linkUrls, gatewayUrl });
  if (settings.credentials === undefined) {
    if (keyId !== undefined && given.secret !== undefined && linkUrls !== undefined) {
      return { credentials: { ...given, keyId, secret: given.secret, linkUrls }, warnings: [] };
    }
    problems.push(
      'credentials: name the file that "strategos executor create --out FILE" wrote, by --credentials or ' +
        'STRATEGOS_CREDENTIALS; or set STRATEGOS_KEY_ID, STRATEGOS_SECRET and STRATEGOS_LINK_URLS',
    );
    return undefined;
  }
  try {
    const { credentials, warning } = readCredentials(settings.credentials);
    return { credentials: { ...credentials, ...given }, warnings: warning === undefined ? [] : [warning] };
  } catch (thrown) {
    problems.push(`credentials: ${messageOf(thrown)}`);
    return undefined;
  }
}

/** `vps-1.journal` beside `vps-1.json`. */
function defaultJournal(credentialsFile: string | undefined): string {
  if (credentialsFile === undefined || !existsSync(credentialsFile)) return 'strategos-executor.journal';
  return join(dirname(credentialsFile), `${basename(credentialsFile, extname(credentialsFile))}.journal`);
}

/** The object without its undefined properties. */
function present<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.assign({}, ...entries.map(([key, value]) => ({ [key]: value })));
}
