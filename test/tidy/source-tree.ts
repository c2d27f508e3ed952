import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';

/** One file of the repository, by its path from the top. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** A path from the top, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
}

const STATIC = /^[ \t]*(?:import|export)\s[^'";]*?from\s+'(?<from>[^']+)'/gm;
const BARE = /^[ \t]*import\s+'(?<from>[^']+)'/gm;
const DYNAMIC = /\bimport\(\s*(?:\/\*.*?\*\/\s*)?'(?<from>[^']+)'\s*\)/g;

/** Every file that is, or is about to be, in the repository; of what lies linked or cloned in it, nothing. */
export function readTree(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed
    .split('\0')
    .filter((path) => path !== '' && statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** TypeScript and JavaScript that people write; what is generated is not theirs. */
export function isCode({ path }: SourceFile): boolean {
  return /\.(?:tsx?|js)$/.test(path) && !path.startsWith('proto/gen/');
}

export function isTest({ path }: SourceFile): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

/** What a file imports, statically or by a literal `import()`. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  for (const pattern of [STATIC, BARE, DYNAMIC]) {
    for (const { groups } of text.matchAll(pattern)) {
      const from = groups?.['from'] ?? '';
      const isPackage = !from.startsWith('.');
      const target = isPackage ? from : posix.normalize(posix.join(posix.dirname(path), from));
      found.push({ target, isPackage });
    }
  }
  return found;
}

/** The text without comments, as far as a line tells what is one. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
