import { isCode, type SourceFile } from './source-tree.ts';

const TOP_LEVEL: ReadonlySet<string> = new Set([
  '.ci',
  '.gitattributes',
  '.gitignore',
  '.npmrc',
  '.nvmrc',
  '.oxlintrc.json',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'biome.json',
  'buf.gen.yaml',
  'buf.yaml',
  'contracts',
  'deploy',
  'package-lock.json',
  'package.json',
  'proto',
  'services',
  'test',
  'tsconfig.json',
  'vitest.config.ts',
]);

/** Names that say nothing of what is inside. */
const VAGUE_FOLDERS: ReadonlySet<string> = new Set([
  'utils',
  'util',
  'common',
  'helpers',
  'lib',
  'types',
  'misc',
  'shared',
]);
const VAGUE_FILES = /^(?:utils?|common|helpers?|lib|misc|shared)\.[jt]s$/;

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*$/;
/** Migrations begin with their number; protobuf's own style is snake_case. */
const OTHERWISE_NAMED =
  /^(?:proto\/|services\/[^/]+\/migrations\/\d{6}_[a-z0-9_]+\.sql$|(?:.*\/)?(?:README|ARCHITECTURE|CONTRIBUTING|LICENSE)(?:\.md)?$|(?:.*\/)?Dockerfile(?:\.dockerignore)?$)/;

const LINES_MAX = 400;
const MAIN_LINES_MAX = 40;

/** Entries at the top that have no business there. */
export function strayEntries(files: readonly SourceFile[]): string[] {
  const entries = new Set(files.map(({ path }) => path.split('/')[0] ?? path));
  return [...entries]
    .filter((entry) => !TOP_LEVEL.has(entry))
    .map((entry) => `${entry}: nothing else grows at the top`);
}

/** Files and folders whose names are not kebab-case. */
export function oddNames(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    if (OTHERWISE_NAMED.test(path)) return [];
    const odd = path.split('/').filter((part) => !KEBAB.test(part.replace(/^\./, '')));
    return odd.map((part) => `${path}: "${part}" is not kebab-case`);
  });
}

/** Files and folders that are named after nothing in particular. */
export function vagueNames(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    if (path.startsWith('proto/gen/')) return [];
    const parts = path.split('/');
    const folder = parts.slice(0, -1).find((part) => VAGUE_FOLDERS.has(part));
    if (folder !== undefined) return [`${path}: a folder called "${folder}" says nothing of what is inside`];
    return VAGUE_FILES.test(parts.at(-1) ?? '') ? [`${path}: the name says nothing of what is inside`] : [];
  });
}

/** Files that do more than one thing, by their length. */
export function longFiles(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap(({ path, text }) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    const linesMax = /^services\/[^/]+\/main\.ts$/.test(path) ? MAIN_LINES_MAX : LINES_MAX;
    return lines > linesMax ? [`${path}: ${lines} lines, at most ${linesMax}`] : [];
  });
}
