import { importsOf, isCode, isTest, type SourceFile } from './source-tree.ts';

interface Rule {
  readonly why: string;
  /** Files that the rule is for. Groups named here can be used in the patterns as `$<service>`. */
  readonly files: RegExp;
  /** Imports that are allowed (`only`) or not (`never`): paths from the top, or packages. */
  readonly only?: readonly RegExp[];
  readonly never?: readonly RegExp[];
  /** Tests may do it: they look from outside. */
  readonly testsExempt?: true;
}

/** What a service may take from others beside `services/platform/` and generated code: what it runs in its own process. */
export const FROM_OTHER_SERVICES: Readonly<Record<string, readonly RegExp[]>> = {
  // `strategos executor run` is the executor, `strategos up` recovers a token without a gateway.
  // A back-test there runs without any platform.
  cli: [
    /^services\/executor\/(?:main|agent|config|run)\.ts$/,
    /^services\/gateway\/recover-token\.ts$/,
    /^services\/(?:backtest|strategy)\/index\.ts$/,
  ],
  // A back-test is the rules of all of them on a simulated clock; each says in its index.ts what it offers for that.
  backtest: [/^services\/(?:strategy|market|evaluator|session|executor)\/index\.ts$/],
};

const DOMAIN_PACKAGES = /^(?:node:crypto|decimal\.js|uuid)$/;
const DOMAIN_PLATFORM = /^services\/platform\/(?:backoff|clock|errors|number-beside|slot-map)\.ts$/;

export const DIRECTION: readonly Rule[] = [
  {
    why: 'domain/ knows neither wire, rows, transports nor the environment',
    files: /^services\/(?<service>[^/]+)\/domain\//,
    only: [/^services\/$<service>\/domain\//, DOMAIN_PLATFORM, DOMAIN_PACKAGES],
    testsExempt: true,
  },
  {
    why: 'handlers/ speak to interfaces of domain/, not to tables',
    files: /^services\/(?<service>[^/]+)\/handlers\//,
    never: [/^services\/[^/]+\/store\//, /^pg$/],
  },
  {
    why: 'store/ knows rows, not messages, and nobody above it',
    files: /^services\/(?<service>[^/]+)\/store\//,
    never: [
      /^proto\//,
      /^@bufbuild\//,
      /^@connectrpc\//,
      /^@grpc\//,
      /^services\/[^/]+\/(?:handlers|wire|link|delivery|edge)\//,
    ],
    testsExempt: true,
  },
  {
    why: 'services/platform/ knows no service',
    files: /^services\/platform\//,
    only: [/^services\/platform\//, /^proto\/gen\//, /^[^./][^/]*(?!.*\.ts$)/],
    testsExempt: true,
  },
  {
    why: 'the console runs in a browser: it has its own files, generated code and packages for browsers',
    files: /^services\/console\/(?!build\.ts$)/,
    never: [/^node:/, /^services\/(?!console\/)/, /^@connectrpc\/connect-node$/, /^@grpc\//],
    testsExempt: true,
  },
  {
    why: 'only main.ts and tests start a whole service',
    files: /^services\/[^/]+\/(?!main\.ts$)/,
    never: [/^services\/(?!executor)[^/]+\/service\.ts$/, /^services\/[^/]+\/main\.ts$/],
    testsExempt: true,
  },
  {
    why: 'nothing that ships needs test/ or contracts/',
    files: /^(?:services|deploy)\//,
    never: [/^test\//, /^contracts\//],
    testsExempt: true,
  },
  {
    why: 'a consumer says what it needs without looking at how the provider is asked',
    files: /^contracts\/consumers\//,
    never: [
      /^contracts\/(?:providers|gate|mutations)\//,
      /^services\/(?!executor|evaluator|platform|cli|console|command\/link\/(?:frames|delivery-frame))/,
    ],
  },
  {
    why: 'deploy/ starts services as processes and takes only platform/ of their source',
    files: /^deploy\//,
    never: [/^services\/(?!platform\/)/],
    testsExempt: true,
  },
];

function filled(pattern: RegExp, groups: Readonly<Record<string, string>> | undefined): RegExp {
  return new RegExp(pattern.source.replace(/\$<(\w+)>/g, (_, name: string) => groups?.[name] ?? ''));
}

/** Imports against the direction of the layers. */
export function againstDirection(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => DIRECTION.flatMap((rule) => breaks(file, rule)));
}

function breaks(file: SourceFile, rule: Rule): string[] {
  const match = rule.files.exec(file.path);
  if (match === null || (rule.testsExempt === true && isTest(file))) return [];
  const only = rule.only?.map((pattern) => filled(pattern, match.groups));
  const never = rule.never?.map((pattern) => filled(pattern, match.groups));
  return importsOf(file)
    .filter(({ target }) => {
      if (only !== undefined && !only.some((pattern) => pattern.test(target))) return true;
      return never?.some((pattern) => pattern.test(target)) === true;
    })
    .map(({ target }) => `${file.path} imports ${target}: ${rule.why}`);
}

/** Source of another service, outside of what its own table allows; tests within a service included. */
export function acrossServices(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => {
    const own = /^services\/([^/]+)\//.exec(file.path)?.[1];
    if (own === undefined) return [];
    return importsOf(file).flatMap(({ target, isPackage }) => {
      const other = isPackage ? undefined : /^services\/([^/]+)\//.exec(target)?.[1];
      if (other === undefined || other === own || other === 'platform') return [];
      if (FROM_OTHER_SERVICES[own]?.some((allowed) => allowed.test(target)) === true) return [];
      return [`${file.path} imports ${target}: services know each other only through generated clients`];
    });
  });
}

/** Circles of imports. Types count: whoever reads one file of a circle has to read them all. */
export function cycles(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, readonly string[]>();
  for (const file of files.filter(isCode)) {
    const own = importsOf(file).filter(({ isPackage }) => !isPackage);
    edges.set(
      file.path,
      own.map(({ target }) => target),
    );
  }
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      found.push([...trail.slice(at), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

/** What starts by itself, or is there for others to import. */
const ENTRIES = /^services\/[^/]+\/(?:main\.tsx?|strategos\.js|index\.ts)$|^services\/console\/build\.ts$/;
/** Next to tests, for tests. */
const FOR_TESTS = /(?:^|\/)(?:test-[^/]+|[^/]+-fixture|raw-peer)\.ts$|\.test\.ts$/;

/** Shipped files that no shipped file imports: dead, whatever their tests say. */
export function orphans(files: readonly SourceFile[]): string[] {
  const shipped = files.filter(
    (file) => isCode(file) && /^(?:services|deploy)\//.test(file.path) && !FOR_TESTS.test(file.path),
  );
  const imported = new Set(shipped.flatMap((file) => importsOf(file).map(({ target }) => target)));
  return shipped
    .filter(({ path }) => !imported.has(path) && !ENTRIES.test(path))
    .map(({ path }) => `${path}: nothing that ships imports it`);
}
