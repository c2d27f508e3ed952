import { isCode, type SourceFile, withoutComments } from './source-tree.ts';

/** Where the environment is read: once, in one function; before any TypeScript runs; and by tools' own files. */
const READS_ENVIRONMENT: ReadonlySet<string> = new Set([
  'services/platform/environment.ts',
  'services/cli/strategos.js',
  'vitest.config.ts',
]);

const OPEN_ENDS = /\b(?:TODO|FIXME|XXX|HACK)\b/;
const SILENCED = /oxlint-disable|eslint-disable|biome-ignore|@ts-(?:ignore|expect-error|nocheck)/;
/** Where this clone lies, and where developers' machines like to keep theirs. */
const MACHINE_PATH = new RegExp(`(?<![\\w.])(?:/(?:work|root)/|${RegExp.escape(process.cwd())}/)`);
const ANY = /(?::\s*any\b|\bas any\b|<any\b|\bany\[\]|\bany>)/;
const ASSIGNED_FUNCTION =
  /^\s*[\w.#[\]]+\.#?\w+ \??\??= (?:async )?(?:function\b|(?:\([^()]*\)(?:: [^=]+)?|\w+) =>)|^\s+(?:readonly |#)+\w+(?:: .*)? = (?:async )?(?:\([^()]*\)(?:: [^=]+)?|\w+) => (?!undefined;)/;
const SUBJECT = /['`]strategos\.(?:wake|review|history|executor)\./;
const PUBLISHED_LITERAL = /\bnats\w*\.(?:publish|subscribe|request)\(\s*['"`]/i;

function lines(files: readonly SourceFile[], pattern: RegExp, what: string): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${what}`] : [])),
  );
}

/** These rules and their bad samples have to say what nobody else may. */
const RULES = /^test\/tidy(?:\/|\.test\.ts$)/;

function ours(files: readonly SourceFile[]): SourceFile[] {
  return files.filter(
    ({ path }) => !path.startsWith('proto/gen/') && path !== 'package-lock.json' && !RULES.test(path),
  );
}

/** The environment, read anywhere but at the start of a process. */
export function scatteredEnvironment(files: readonly SourceFile[]): string[] {
  const code = ours(files).filter((file) => isCode(file) && !READS_ENVIRONMENT.has(file.path));
  const bare = code.map(({ path, text }) => ({ path, text: withoutComments(text) }));
  return bare.flatMap(({ path, text }) =>
    /\bprocess\s*\.\s*env\b/.test(text)
      ? [`${path}: the environment is read by readEnv() in platform/environment.ts alone`]
      : [],
  );
}

export function openEnds(files: readonly SourceFile[]): string[] {
  return lines(ours(files), OPEN_ENDS, 'finish it, or say in a sentence why it is as it is');
}

export function silencedChecks(files: readonly SourceFile[]): string[] {
  return lines(ours(files), SILENCED, 'a check is satisfied, not silenced');
}

export function machinePaths(files: readonly SourceFile[]): string[] {
  return lines(ours(files), MACHINE_PATH, 'a path of one machine');
}

export function untyped(files: readonly SourceFile[]): string[] {
  return ours(files)
    .filter(({ path }) => /\.tsx?$/.test(path))
    .flatMap(({ path, text }) =>
      ANY.test(withoutComments(text)) ? [`${path}: has the type that stands for none`] : [],
    );
}

/** Subjects come from functions, so that nobody's id can listen to or speak as another's. */
export function handmadeSubjects(files: readonly SourceFile[]): string[] {
  const code = ours(files).filter(
    (file) => isCode(file) && !/^services\/platform\/nats\/subject(?:\.test)?\.ts$/.test(file.path),
  );
  const what = 'NATS subjects come from platform/nats/subject.ts';
  return [
    ...lines(code, SUBJECT, what),
    ...lines(
      code.filter(({ path }) => !path.endsWith('.test.ts')),
      PUBLISHED_LITERAL,
      what,
    ),
  ];
}

/**
 * Function literals assigned to properties of what a process makes many of. V8 takes such functions for methods that live as
 * long as the program and makes them among the old: each holds what it refers to until the next full collection.
 */
export function assignedFunctions(files: readonly SourceFile[]): string[] {
  const code = ours(files).filter(({ path }) => /^services\/(?!console|cli)/.test(path) && !path.endsWith('.test.ts'));
  return lines(code, ASSIGNED_FUNCTION, 'name the function first: one that is assigned as a literal is never young');
}

/** A lockfile that names a registry works only where that registry is reached. */
export function lockedRegistry(files: readonly SourceFile[]): string[] {
  const lock = files.filter(({ path }) => path === 'package-lock.json');
  return lines(lock, /"resolved": "https?:/, 'names a registry; `omit-lockfile-registry-resolved` keeps it out');
}
