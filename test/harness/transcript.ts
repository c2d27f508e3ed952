/** One thing that a reader does in a terminal, with what the terminal then prints. */
export interface TranscriptStep {
  /** The command line; undefined for Ctrl-C. */
  readonly command: string | undefined;
  readonly output: string;
}

/** Reads `$ command` (carried on after a backslash), `^C`, and output in between. Output before the first step is an error. */
export function parseTranscript(text: string): TranscriptStep[] {
  const steps: { command: string | undefined; output: string[] }[] = [];
  let continued = false;
  for (const line of text.split('\n')) {
    const last = steps.at(-1);
    if (continued && last?.command !== undefined) last.command += `\n${line}`;
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] });
    else if (line === '^C') steps.push({ command: undefined, output: [] });
    else if (last === undefined) throw new Error(`output without a command: ${line}`);
    else last.output.push(line);
    continued = (line.startsWith('$ ') || continued) && line.endsWith('\\');
  }
  return steps.map(({ command, output }) => ({ command, output: trimmed(output.join('\n')) }));
}

/** What differs from run to run, with the name that stands for it. Ids are told apart, because they come again. */
const VARIABLE: readonly (readonly [string, RegExp])[] = [
  ['id', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b/],
  ['cursor', /(?<=last cursor: )\S+/],
  ['number', /(?<="sequence": ?")\d+(?=")/],
  ['time', /\d{4}-\d\d-\d\dT[\d:.]+Z|(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d{3})?/],
  ['duration', /\+\d+ ms|(?<![\w.])(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+(?!\w)/],
];
const ANY_VARIABLE = new RegExp(VARIABLE.map(([, pattern]) => `(${pattern.source})`).join('|'), 'g');

/** An output without what differs from run to run, and the ids that were in it, in order. */
export interface Shape {
  readonly text: string;
  readonly ids: readonly string[];
}

/** Ids, times, durations, cursors and sequence numbers become their names; the width of columns does not count. */
export function shapeOf(output: string): Shape {
  const ids: string[] = [];
  const text = trimmed(output).replaceAll(ANY_VARIABLE, (found: string, ...groups: unknown[]) => {
    const kind = VARIABLE[groups.findIndex((group) => group !== undefined)]?.[0] ?? '';
    if (kind === 'id') ids.push(found);
    return `<${kind}>`;
  });
  return { text: text.replaceAll(/ {2,}/g, '  '), ids };
}

function trimmed(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replaceAll(/^\n+|\n+$/g, '');
}
