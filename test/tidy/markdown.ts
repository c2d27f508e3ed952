import { readFileSync } from 'node:fs';
import { type FencedBlock, fencedBlocks } from '../harness/fenced-blocks.ts';

/** A Markdown document at the top of the tree. */
export interface MarkdownDocument {
  readonly path: string;
  readonly text: string;
  /** The text without its fenced blocks. */
  readonly prose: string;
  readonly blocks: readonly FencedBlock[];
}

export function readDocument(path: string): MarkdownDocument {
  return documentOf(path, readFileSync(path, 'utf8'));
}

export function documentOf(path: string, text: string): MarkdownDocument {
  return { path, text, prose: text.replaceAll(/^```[^\n]*\n[\s\S]*?^```$/gm, ''), blocks: fencedBlocks(text) };
}

/** Targets of links, as they are written. */
export function linksOf({ prose }: MarkdownDocument): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** What stands between single backticks in the prose. */
export function codeSpansOf({ prose }: MarkdownDocument): string[] {
  return [...prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code]) => code ?? '');
}

/** Anchors of the headings, as they are linked to. */
export function anchorsOf({ prose }: MarkdownDocument): ReadonlySet<string> {
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The rows of every table with these column titles, cell by cell, without surrounding space. */
export function tableRows({ prose }: MarkdownDocument, ...titles: readonly string[]): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of prose.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim())
      : undefined;
    if (cells === undefined) inside = false;
    else if (cells.join('|') === titles.join('|')) inside = true;
    else if (inside && !cells.every((cell) => /^-+$/.test(cell))) rows.push(cells);
  }
  return rows;
}

/** A cell's values: what stands in backticks, in order. */
export function valuesOf(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, value]) => value ?? '');
}
