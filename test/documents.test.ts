import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { derivePorts } from '../deploy/local/platform-ports.ts';
import { Cli } from '../services/cli/cli.ts';
import { buildProgram } from '../services/cli/program.ts';
import { envToConfig as commandConfig } from '../services/command/config.ts';
import {
  ATTEMPTS_MAX_DEFAULT,
  ATTEMPTS_MAX_LIMIT,
  isKind,
  KIND_POLICIES,
  policyOf,
  RECEIVE_WITHIN_MS,
  SPAN_MS_MAX,
} from '../services/command/domain/kind.ts';
import { AGENT_GRACE_MS } from '../services/command/domain/transition.ts';
import { envToConfig as alertConfig } from '../services/alert/config.ts';
import { envToConfig as backtestConfig } from '../services/backtest/config.ts';
import { envToConfig as evaluatorConfig } from '../services/evaluator/config.ts';
import { envToConfig as gatewayConfig } from '../services/gateway/config.ts';
import { envToConfig as marketConfig } from '../services/market/config.ts';
import { envToConfig as sessionConfig } from '../services/session/config.ts';
import { envToConfig as strategyConfig } from '../services/strategy/config.ts';
import { anchorsOf, codeSpansOf, documentOf, linksOf, readDocument, tableRows, valuesOf } from './tidy/markdown.ts';
import { commandsIn, defectOf } from './tidy/typed-commands.ts';

const readme = readDocument('README.md');
const architecture = readDocument('ARCHITECTURE.md');
const contributing = readDocument('CONTRIBUTING.md');
const documents = [readme, architecture, contributing];
const program = buildProgram(new Cli());

describe.each(documents)('$path', (document) => {
  test('links to what exists', () => {
    const broken = linksOf(document).filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? document.path : join(dirname(document.path), path);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(readDocument(file)).has(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('names paths that exist', () => {
    const paths = codeSpansOf(document).filter((code) => /^(?:proto|services|deploy|test|\.ci)\/\S*$/.test(code));
    const missing = paths.filter((path) => globSync(path.replaceAll(/<[^>]+>/g, '*').replace(/\/$/, '')).length === 0);
    expect(missing.filter((path) => path !== 'test-results/')).toEqual([]);
  });

  test('types commands that exist', () => {
    const nouns = program.commands.map((command) => command.name()).join('|');
    const spans = codeSpansOf(document)
      .filter((code) => /^(?:npm|npx|strategos) /.test(code) || new RegExp(`^(?:${nouns}) [a-z]+( |$)`).test(code))
      .map((code) => (/^np[mx] |^strategos /.test(code) ? code : `strategos ${code}`));
    const scripts = document.blocks.filter((block) => block.language === 'sh').map((block) => block.text);
    const typed = [...spans, ...scripts].flatMap(commandsIn);
    expect(typed.map((words) => defectOf(words, program)).filter((defect) => defect !== undefined)).toEqual([]);
    expect(typed.length).toBeGreaterThan(0);
  });
});

describe('the rules find', () => {
  test.each([
    ['npm run nothing', 'package.json has no script nothing'],
    ['npx nothing', 'there is no nothing in node_modules'],
    ['npx strategos command fly', 'command has no fly'],
    ['strategos --data x command send demo ping {} more', 'send has no more'],
    ['strategos status --now', 'status has no option --now'],
    ['A=1 node nothing.ts', 'there is no nothing.ts'],
    ['make', 'no reader knows make'],
  ])('%s', (line, defect) => {
    expect(commandsIn(line).map((words) => defectOf(words, program))).toEqual([defect]);
  });

  test('nothing in what can be typed', () => {
    const script =
      'npx strategos --data .x command send demo ping \'{"a b": 1}\' --wait 5s && npm test # all\nnpm start';
    expect(commandsIn(script)).toHaveLength(3);
    expect(commandsIn(script).map((words) => defectOf(words, program))).toEqual([undefined, undefined, undefined]);
  });

  test('tables, links and anchors', () => {
    const sample = documentOf(
      'x.md',
      '# A b\n[l](y.md#z)\n| k | v |\n|---|---|\n| `a` | b |\n\n| other |\n```sh\n# no\n```\n',
    );
    expect(tableRows(sample, 'k', 'v')).toEqual([['`a`', 'b']]);
    expect(linksOf(sample)).toEqual(['y.md#z']);
    expect([...anchorsOf(sample)]).toEqual(['a-b']);
  });
});

/** The value of a constant or property that is set to a number, or a product of numbers. */
function constantIn(path: string, name: string): number | undefined {
  const set = new RegExp(`\\b${name}(?::| =) '?([\\d_]+(?: \\* [\\d_]+)*)'?[,; ]`);
  const product = set.exec(readFileSync(path, 'utf8'))?.[1];
  return product?.split(' * ').reduce((all, factor) => all * Number(factor.replaceAll('_', '')), 1);
}

/** "5 min" of 300 000. */
function span(ms: number | null): string {
  if (ms === null) return '–';
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}

describe('tables that repeat the code', () => {
  test('kinds', () => {
    const titles = ['kind', 'lane', 'key', 'entry', 'deliver', 'start', 'progress', 'finish', 'supersedes'];
    const told = Object.fromEntries(
      tableRows(architecture, ...titles).map(([kind, ...cells]) => [valuesOf(kind)[0], cells]),
    );
    const expected = Object.keys(KIND_POLICIES)
      .filter(isKind)
      .map((kind) => {
        const policy = policyOf(kind);
        const { deliverWithinMs, startWithinMs, progressWithinMs, finishWithinMs, supersedes } = policy;
        const spans = [deliverWithinMs, startWithinMs, progressWithinMs, finishWithinMs].map(span);
        const lane = ['', 'NORMAL', 'HIGH', 'CRITICAL'][policy.lane];
        const stops = supersedes.length === 0 ? '–' : supersedes.map((each) => `\`${each}\``).join(', ');
        return [kind, [lane, policy.key, policy.entry ? 'yes' : 'no', ...spans, stops]];
      });
    expect(told).toEqual(Object.fromEntries(expected));
    const overtaking = Object.keys(KIND_POLICIES).filter((kind) => isKind(kind) && policyOf(kind).overtakes);
    expect(overtaking, '`stop_all` alone overtakes').toEqual(['stop_all']);
  });

  test('deadlines', () => {
    expect(architecture.prose).toContain(`${RECEIVE_WITHIN_MS / 1_000} s from each write, doubled with each repeat`);
    expect(architecture.prose).toContain(`(${ATTEMPTS_MAX_DEFAULT}, at most ${ATTEMPTS_MAX_LIMIT})`);
    expect(architecture.prose).toContain(`within ${AGENT_GRACE_MS / 1_000} s more`);
    expect(architecture.prose).toContain(`up to ${SPAN_MS_MAX / 86_400_000} days`);
  });

  test('ports', () => {
    const ports = derivePorts(7070, { command: 1, evaluator: 1 });
    const told = tableRows(readme, 'what', 'port', 'with the default').map((cells) => Number(cells[2]));
    expect(new Set(told)).toEqual(new Set(Object.values(ports).flat()));
  });

  test('limits', () => {
    const rows = tableRows(architecture, 'what', 'bound', 'where');
    expect(rows.length).toBeGreaterThan(20);
    for (const [what, bound, where] of rows) {
      const [name = '', path = ''] = valuesOf(where);
      expect(`${what}: ${bound}`).toBe(`${what}: ${constantIn(path, name)}`);
    }
  });

  test('invariants', () => {
    const numbers = tableRows(architecture, '', 'invariant', 'held by', 'checked by').map(([number]) => number);
    expect(numbers.filter((number) => number !== '')).toEqual(Array.from({ length: 13 }, (_, n) => `I${n + 1}`));
  });
});

/** Variables with their defaults, of the table in which `of` stands: each row is a variable or a pair. */
function variablesOf(path: string): Map<string, string | undefined> {
  const at = readme.prose.indexOf(`\`${path}\``, readme.prose.indexOf('## Configuration'));
  const table = documentOf('', readme.prose.slice(at).split('\n\n').slice(0, 2).join('\n'));
  const rows = [
    ...tableRows(table, 'variable', 'default', 'meaning'),
    ...tableRows(table, 'variable', 'in the file', 'default', 'meaning').map(([name, , ...rest]) => [name, ...rest]),
  ];
  return new Map(
    rows.flatMap(([names, defaults]) =>
      valuesOf(names).map((name, index) => [name, valuesOf(defaults)[index]] as const),
    ),
  );
}

/** Variables that a configuration file of the code reads. */
function variablesIn(path: string): string[] {
  const found = readFileSync(path, 'utf8').matchAll(/\b(?:STRATEGOS_[A-Z_]+|DATABASE_URL|NATS_URL)(?=:|'[,\]])/g);
  return [...new Set([...found].map(([name]) => name))];
}

describe('variables', () => {
  const required = {
    DATABASE_URL: 'postgres://localhost/x',
    NATS_URL: 'nats://localhost',
    STRATEGOS_INTERNAL_TOKEN: 'secret',
    STRATEGOS_COMMAND_URLS: 'http://localhost',
    STRATEGOS_REPLICA_ID: 'r',
  };

  test.each([
    ['services/alert', alertConfig],
    ['services/command', commandConfig],
    ['services/gateway', gatewayConfig],
    ['services/strategy', strategyConfig],
    ['services/market', marketConfig],
    ['services/evaluator', evaluatorConfig],
    ['services/session', sessionConfig],
    ['services/backtest', backtestConfig],
  ] as const)('of %s are all told, with their defaults', (service, envToConfig) => {
    const told = variablesOf(service);
    expect([...told.keys()].toSorted()).toEqual(variablesIn(`${service}/config.ts`).toSorted());
    for (const [name, value] of told) {
      if (value === undefined) continue;
      const without = Object.fromEntries(Object.entries(required).filter(([given]) => given !== name));
      const bare = JSON.stringify(envToConfig(without));
      expect(JSON.stringify(envToConfig({ ...without, [name]: value })), name).toBe(bare);
    }
  });

  test('of services/executor are all told, with their names in the file and their defaults', () => {
    const told = variablesOf('services/executor');
    expect([...told.keys()].toSorted()).toEqual(variablesIn('services/executor/config.ts').toSorted());
    const source = readFileSync('services/executor/config.ts', 'utf8');
    for (const [variable, setting] of tableRows(readme, 'variable', 'in the file', 'default', 'meaning')) {
      const [name = ''] = valuesOf(setting);
      if (name !== '')
        expect(source).toContain(`${name.includes('.') ? `'${name}'` : name}: ['${valuesOf(variable)[0]}'`);
    }
    const paper = 'services/executor/adapters/paper/paper-adapter.ts';
    expect(Object.fromEntries([...told].filter(([, value]) => value !== undefined))).toEqual({
      STRATEGOS_LOG_LEVEL: 'info',
      STRATEGOS_IN_FLIGHT_MAX: String(constantIn('services/executor/agent.ts', 'IN_FLIGHT_MAX')),
      STRATEGOS_CONCURRENCY_MAX: String(constantIn('services/executor/agent.ts', 'CONCURRENCY_MAX')),
      STRATEGOS_PAPER_LATENCY_MS: String(constantIn(paper, 'latencyMs')),
      STRATEGOS_PAPER_INITIAL_BALANCE: String(constantIn(paper, 'initialBalance')),
      STRATEGOS_PAPER_MAX_LEVERAGE: String(
        constantIn('services/executor/adapters/paper/paper-venue.ts', 'LEVERAGE_MAX'),
      ),
    });
  });
});
