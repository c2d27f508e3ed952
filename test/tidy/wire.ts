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
  CommandService: 'command',
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
}

function rpcsOf(files: readonly SourceFile[]): Rpc[] {
  return files
    .filter(({ path }) => /^proto\/strategos\/.*\.proto$/.test(path))
    .flatMap(({ text }) =>
      [...text.matchAll(/^service (?<service>\w+) \{\n(?<body>[\s\S]*?)^\}/gm)].flatMap(({ groups }) =>
        [...(groups?.['body'] ?? '').matchAll(/(?<comment>(?:^ *\/\/.*\n)*)^ *rpc (?<name>\w+)\(/gm)].map((rpc) => ({
          service: groups?.['service'] ?? '',
          name: rpc.groups?.['name'] ?? '',
          documented: rpc.groups?.['comment'] !== '',
        })),
      ),
    );
}

function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])/g, '-$&').toLowerCase();
}

/** RPCs without a contract in words, or without a handler file of their own name. */
export function rpcDefects(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return rpcsOf(files).flatMap(({ service, name, documented }) => {
    const folder = ANSWERED_BY[service];
    if (folder === undefined) return [`${service}: say in test/tidy/wire.ts which service answers it`];
    const file = `services/${folder}/handlers/${kebab(name)}.ts`;
    return [
      ...(documented ? [] : [`${service}.${name} has no comment: it is a contract`]),
      ...(paths.has(file) ? [] : [`${service}.${name} has no handler file ${file}`]),
    ];
  });
}
