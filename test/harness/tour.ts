import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { derivePorts, GATEWAY_PORT_DEFAULT } from '../../deploy/local/platform-ports.ts';
import { type FencedBlock, wordOf } from './fenced-blocks.ts';
import type { ReadersHome } from './readers-home.ts';
import { runInTerminal, type TerminalCommand } from './terminal.ts';
import { parseTranscript, shapeOf, type TranscriptStep } from './transcript.ts';

/** Where documents say that the reader's folders are. */
const DOCUMENTED_HOME = '/home/ops';
const STARTED_MS_MAX = 120_000;

export interface TourOptions {
  /** Addresses that the document types, with those that take their place. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Runs whenever a command that goes on has printed what the document prints. */
  readonly afterStart?: () => Promise<void>;
}

interface OpenTerminal {
  readonly running: TerminalCommand;
  /** What the document says that it has printed by now. */
  readonly told: string;
}

/** One step, and where it is to be done. */
interface Move {
  readonly step: TranscriptStep;
  readonly terminal: string;
  readonly folder: string | undefined;
  readonly exit: number;
  /** For people who read a failure. */
  readonly where: string;
}

function movesOf(block: FencedBlock, document: string): Move[] {
  return parseTranscript(block.text).map((step) => ({
    step,
    terminal: wordOf(block, 'terminal') ?? '',
    folder: wordOf(block, 'in'),
    exit: Number(wordOf(block, 'exit') ?? 0),
    where: `${document}, block in line ${block.line}: ${step.command ?? 'Ctrl-C'}`,
  }));
}

/**
 * Does what the blocks of a document say, and holds what the programs print against what the document prints. Ids, times
 * and durations may differ; an id that the document types again is replaced by the one that took its place.
 */
export class Tour {
  readonly #home: ReadersHome;
  readonly #document: string;
  readonly #options: TourOptions;
  readonly #open = new Map<string, OpenTerminal>();
  readonly #ids = new Map<string, string>();

  constructor(home: ReadersHome, document: string, options: TourOptions = {}) {
    this.#home = home;
    this.#document = document;
    this.#options = options;
  }

  /**
   * Blocks with the word `terminal=N` go on in that terminal, and a command that is interrupted later runs until then;
   * `in=FOLDER` types in a folder beside the clone, and `exit=N` expects another exit code than 0.
   */
  async follow(blocks: readonly FencedBlock[]): Promise<void> {
    const moves = blocks.flatMap((block) => movesOf(block, this.#document));
    for (const [index, move] of moves.entries()) {
      const next = moves.slice(index + 1).find(({ terminal }) => terminal === move.terminal);
      const { command } = move.step;
      if (command === undefined) await this.#interrupt(move);
      else if (next !== undefined && next.step.command === undefined) await this.#begin(move, command);
      else await this.#run(move, command);
    }
  }

  async #run(move: Move, command: string): Promise<void> {
    const running = await this.#start(move, command);
    const code = await running.ended;
    this.#compare(running.output, move.step.output, move.where);
    expect(code, move.where).toBe(move.exit);
  }

  async #begin(move: Move, command: string): Promise<void> {
    const { terminal, step, where } = move;
    const running = await this.#start(move, command);
    this.#open.set(terminal, { running, told: step.output });
    const { text } = shapeOf(step.output);
    await expect
      .poll(() => shapeOf(this.#documented(running.output)).text, { message: where, timeout: STARTED_MS_MAX })
      .toBe(text);
    this.#compare(running.output, step.output, where);
    await this.#options.afterStart?.();
  }

  async #interrupt({ terminal, step, where }: Move): Promise<void> {
    const open = this.#open.get(terminal);
    if (open === undefined) throw new Error(`${where}: nothing runs in that terminal`);
    this.#open.delete(terminal);
    open.running.interrupt();
    await open.running.ended;
    this.#compare(open.running.output, [open.told, step.output].join('\n'), where);
  }

  async #start(move: Move, command: string): Promise<TerminalCommand> {
    const { clone, directory, env } = this.#home;
    const cwd = move.folder === undefined ? clone : join(directory, move.folder);
    await mkdir(cwd, { recursive: true });
    return runInTerminal(this.#real(command), { cwd, env });
  }

  #compare(actual: string, told: string, where: string): void {
    const expected = shapeOf(told);
    const found = shapeOf(this.#documented(actual));
    expect(found.text, where).toBe(expected.text);
    for (const [index, id] of expected.ids.entries()) this.#ids.set(id, found.ids[index] ?? id);
  }

  /** A command of the document with this run's ids and ports. */
  #real(command: string): string {
    let real = command.replaceAll(`127.0.0.1:${GATEWAY_PORT_DEFAULT}`, `127.0.0.1:${this.#home.port}`);
    for (const [documented, address] of Object.entries(this.#options.addresses ?? {})) {
      real = real.replaceAll(documented, address);
    }
    for (const [documented, id] of this.#ids) real = real.replaceAll(documented, id);
    return real;
  }

  /** An output with the document's ports and paths. */
  #documented(output: string): string {
    const told = portsOf(GATEWAY_PORT_DEFAULT);
    let text = output.replaceAll(this.#home.directory, DOCUMENTED_HOME);
    for (const [index, port] of portsOf(this.#home.port).entries()) {
      text = text.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(told[index]));
    }
    return text;
  }
}

function portsOf(gateway: number): readonly number[] {
  return Object.values(derivePorts(gateway, { command: 1, evaluator: 1 })).flat();
}
