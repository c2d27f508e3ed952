import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';

/** Programs that every reader has. */
const COMMON_PROGRAMS: ReadonlySet<string> = new Set(['export', 'cd', 'curl', 'git']);

/** Splits as a shell does, as far as documents need it: quotes, and commands that follow each other. */
export function commandsIn(script: string): string[][] {
  return script
    .replaceAll(/\\\n\s*/g, ' ')
    .split(/\n|&&/)
    .map((line) => [...line.replace(/(?:^|\s)#.*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)])
    .map((words) => words.map(([, single, double, bare]) => single ?? double ?? bare ?? ''))
    .filter((words) => words.length > 0);
}

/** Why a command line of a document cannot be typed; undefined when it can. */
export function defectOf(words: readonly string[], strategos: Command): string | undefined {
  const [program = '', first = '', ...rest] = words;
  if (/^[A-Z_]+=/.test(program)) return defectOf(words.slice(1), strategos);
  if (COMMON_PROGRAMS.has(program)) return undefined;
  if (program === 'npm') return npmDefect(first, rest);
  if (program === 'npx') return first === 'strategos' ? cliDefect(rest, strategos) : toolDefect(first);
  if (program === 'strategos') return cliDefect(words.slice(1), strategos);
  if (program === 'node') return existsSync(first) ? undefined : `there is no ${first}`;
  return `no reader knows ${program}`;
}

function npmDefect(verb: string, [script = '']: readonly string[]): string | undefined {
  if (['ci', 'init', 'install', 'pkg'].includes(verb)) return undefined;
  const name = verb === 'run' ? script : verb;
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'));
  return Object.hasOwn(scripts, name) ? undefined : `package.json has no script ${name}`;
}

function toolDefect(name: string): string | undefined {
  return existsSync(`node_modules/.bin/${name}`) ? undefined : `there is no ${name} in node_modules`;
}

/** Walks down the nouns and verbs, then looks at options and arguments. */
function cliDefect(words: readonly string[], program: Command): string | undefined {
  const known = new Map(program.options.flatMap((option) => [[option.long, option] as const]));
  const rest = [...words];
  const positional: string[] = [];
  let at = program;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const below = at.commands.find((command) => command.name() === word);
    if (below !== undefined && positional.length === 0) {
      at = below;
      for (const option of at.options) known.set(option.long, option);
    } else if (word.startsWith('--')) {
      const option = known.get(word);
      if (option === undefined) return `${at.name()} has no option ${word}`;
      if (option.required) rest.shift();
    } else positional.push(word);
  }
  const [stray] = at.commands.length > 0 ? positional : positional.slice(at.registeredArguments.length);
  return stray === undefined ? undefined : `${at.name()} has no ${stray}`;
}
