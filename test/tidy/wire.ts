import { isCode, isTest, type SourceFile } from './source-tree.ts';

/** Reasons that no code of ours gives by name, and why they are in the vocabulary all the same. */
export const REASONS_WITHOUT_CODE: Readonly<Record<string, string>> = {};

interface Reason {
  readonly name: string;
  readonly documented: boolean;
}

function reasonsOf(files: readonly SourceFile[]): Reason[] {
  const proto = files.find(({ path }) => path.endsWith('/error_reason.proto'))?.text ?? '';
  const all = [...proto.matchAll(/(?<comment>(?:^ *\/\/.*\n)*)^ *ERROR_REASON_(?<name>\w+) = \d+;/gm)];
  return all
    .map(({ groups }) => ({ name: groups?.['name'] ?? '', documented: groups?.['comment'] !== '' }))
    .filter(({ name }) => name !== 'UNSPECIFIED');
}

/** Reasons without a comment, reasons that code gives and the vocabulary lacks, and reasons that nothing ever gives. */
export function reasonDefects(files: readonly SourceFile[]): string[] {
  const reasons = reasonsOf(files);
  const known = new Set(reasons.map(({ name }) => name));
  const code = files.filter((file) => isCode(file) && !isTest(file) && file.path.startsWith('services/'));
  const unknown = code.flatMap(({ path, text }) =>
    [...text.matchAll(/\breason: '([A-Z][A-Z_]+)'/g)]
      .map(([, name]) => name ?? '')
      .filter((name) => !known.has(name))
      .map((name) => `${path}: the reason ${name} is not in error_reason.proto`),
  );
  const all = code.map(({ text }) => text).join('\n');
  const unused = reasons
    .filter(({ name }) => !new RegExp(`'${name}'|\\bErrorReason\\.${name}\\b`).test(all))
    .filter(({ name }) => REASONS_WITHOUT_CODE[name] === undefined)
    .map(({ name }) => `error_reason.proto: nothing ever gives ${name}`);
  const silent = reasons
    .filter(({ documented }) => !documented)
    .map(({ name }) => `error_reason.proto: ${name} does not say when it occurs`);
  return [...silent, ...unknown, ...unused];
}

/** Which service answers a gRPC service's calls. */
const ANSWERED_BY: Readonly<Record<string, string>> = {
  AccessService: 'gateway',
  AlertService: 'alert',
  BacktestService: 'backtest',
  CommandService: 'command',
  DiagnosticsService: 'gateway',
  EvaluatorService: 'evaluator',
  ExecutorLinkService: 'command',
  ExecutorService: 'command',
  MarketService: 'market',
  SessionService: 'session',
  StrategyService: 'strategy',
};

interface Rpc {
  readonly service: string;
  readonly name: string;
  readonly documented: boolean;
  /** Whether its options name the least role of a caller. */
  readonly hasRole: boolean;
  /** Whether its options say that it changes nothing. */
  readonly readOnly: boolean;
  /** Whether its comment, or its service's, says which side alone calls it. */
  readonly forOneSide: boolean;
}

/** RPCs that only look, by the first word of their names. */
const LOOKS = /^(Get|List|Watch|Explain|Read|Validate|Diagnose|Check|WhoAmI)/;
const ONE_SIDE =
  /\bfor (?:the |evaluators\b)[^.]*\balone\b|\bonly other services may ask\b|\bis the executor's side\b/i;

const SERVICE = /(?<comment>(?:^\/\/.*\n)*)^service (?<name>\w+) \{\n(?<body>[\s\S]*?)^\}/gm;
const RPC = /(?<comment>(?:^ *\/\/.*\n)*)^ *rpc (?<name>\w+)\([^{;]*(?:;|\{(?<options>[^}]*)\})/gm;

function rpcsOf(files: readonly SourceFile[]): Rpc[] {
  return files
    .filter(({ path }) => /^proto\/strategos\/.*\.proto$/.test(path))
    .flatMap(({ text }) => [...text.matchAll(SERVICE)])
    .flatMap(({ groups: service }) =>
      [...(service?.['body'] ?? '').matchAll(RPC)].map(({ groups: rpc }) => ({
        service: service?.['name'] ?? '',
        name: rpc?.['name'] ?? '',
        documented: rpc?.['comment'] !== '',
        hasRole: /\brequired_role\) = ROLE_[A-Z]+;/.test(rpc?.['options'] ?? ''),
        readOnly: /\bidempotency_level = NO_SIDE_EFFECTS;/.test(rpc?.['options'] ?? ''),
        forOneSide: ONE_SIDE.test(words(service?.['comment'])) || ONE_SIDE.test(words(rpc?.['comment'])),
      })),
    );
}

/** A comment as one line. */
function words(comment: string | undefined): string {
  return (comment ?? '').replace(/^ *\/\/ ?/gm, '').replaceAll('\n', ' ');
}

function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])/g, '-$&').toLowerCase();
}

/** RPCs without a contract in words, a role or a word on who alone calls them, or a handler file of their own name. */
export function rpcDefects(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return rpcsOf(files).flatMap(({ service, name, documented, hasRole, readOnly, forOneSide }) => {
    const folder = ANSWERED_BY[service];
    if (folder === undefined) return [`${service}: say in test/tidy/wire.ts which service answers it`];
    const file = `services/${folder}/handlers/${kebab(name)}.ts`;
    return [
      ...(documented ? [] : [`${service}.${name} has no comment: it is a contract`]),
      ...(hasRole || forOneSide ? [] : [`${service}.${name} names no role, and its comment not who alone calls it`]),
      ...(readOnly || !LOOKS.test(name) ? [] : [`${service}.${name} only looks: give it NO_SIDE_EFFECTS`]),
      ...(paths.has(file) ? [] : [`${service}.${name} has no handler file ${file}`]),
    ];
  });
}
