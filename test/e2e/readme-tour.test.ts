import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { livingPid, processIdentity } from '../../deploy/local/process-record.ts';
import { readEnv } from '../../services/platform/environment.ts';
import { type FencedBlock, fencedBlocks, wordOf } from '../harness/fenced-blocks.ts';
import { ReadersHome } from '../harness/readers-home.ts';
import { runInTerminal } from '../harness/terminal.ts';
import { Tour } from '../harness/tour.ts';

/** A dozen programs start one after the other, each a Node of its own. */
const TOUR_MS_MAX = 240_000;

/** The blocks of the README that belong to one chapter, without those whose program this machine lacks. */
async function chapter(word: string): Promise<FencedBlock[]> {
  const blocks = fencedBlocks(await readFile('README.md', 'utf8')).filter((block) => block.words.includes(word));
  const possible = await Promise.all(
    blocks.map(async (block) => {
      const program = wordOf(block, 'needs');
      if (program === undefined || (await isInstalled(program))) return true;
      process.stdout.write(`README.md, block in line ${block.line} is left out: there is no ${program}\n`);
      return false;
    }),
  );
  return blocks.filter((_, index) => possible[index]);
}

async function isInstalled(program: string): Promise<boolean> {
  return (await runInTerminal(`command -v ${program}`, { cwd: '.', env: readEnv() }).ended) === 0;
}

test(
  'the tour: what the README says to type prints what the README prints, and leaves nothing running',
  async () => {
    await using home = await ReadersHome.make();
    const { records } = home.data;
    const seen: (number | undefined)[] = [];
    const tour = new Tour(home, 'README.md', {
      afterStart: async () => {
        for (const name of await readdir(records)) seen.push(await livingPid(join(records, name)));
      },
    });
    await tour.follow(await chapter('tour'));
    expect(await strayIn(home.clone)).toEqual([]);
    expect(seen.filter((pid) => pid !== undefined).length).toBeGreaterThanOrEqual(6);
    expect(await readdir(records)).toEqual([]);
    for (const pid of seen) expect(pid && (await processIdentity(pid)), `process ${pid}`).toBeUndefined();
  },
  TOUR_MS_MAX,
);

test(
  'the venue: the example type-checks, trades, and says no to what it may not do',
  async () => {
    await using home = await ReadersHome.make();
    const { server, url } = await httpVenue();
    const up = runInTerminal('npx strategos up --no-demo', { cwd: home.clone, env: home.env });
    try {
      await expect.poll(() => up.output, { timeout: 120_000 }).toContain('Ctrl-C stops everything');
      const blocks = await chapter('venue');
      const sources = blocks.filter((block) => block.language === 'ts');
      expect(sources).toHaveLength(1);
      for (const block of sources) {
        const path = join(home.directory, wordOf(block, 'file') ?? '');
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, block.text);
      }
      await new Tour(home, 'README.md', { addresses: { '127.0.0.1:9000': url } }).follow(
        blocks.filter((block) => block.language === 'console'),
      );
      await typeCheck(home);
    } finally {
      up.interrupt();
      await up.ended;
      server.close();
    }
  },
  TOUR_MS_MAX,
);

/** What git would offer for a commit, and the tests of the tree would find: the tour is often walked before them. */
async function strayIn(clone: string): Promise<string[]> {
  const tracked = new Set(git('ls-files').map((path) => path.replace(/\/.*/, '')));
  const entries = await readdir(clone, { withFileTypes: true });
  const others = entries.flatMap((entry) =>
    tracked.has(entry.name) ? [] : entry.name + (entry.isDirectory() ? '/' : ''),
  );
  expect(others).toContain('demo.json');
  const ignored = new Set(git('check-ignore', '--no-index', ...others));
  return others.filter((name) => !ignored.has(name));
}

function git(...words: readonly string[]): string[] {
  return execFileSync('git', words, { encoding: 'utf8' }).trim().split('\n');
}

/** Under the project's own compiler settings, as the reader's package sees the clone. */
async function typeCheck(home: ReadersHome): Promise<void> {
  const folder = join(home.directory, 'my-venue');
  await symlink(join(home.clone, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
  const settings = { extends: '../strategos/tsconfig.json', include: ['my-venue.ts'], exclude: [] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = runInTerminal('../strategos/node_modules/.bin/tsc --noEmit', { cwd: folder, env: home.env });
  const code = await compiler.ended;
  expect(compiler.output).toBe('');
  expect(code).toBe(0);
}

/** A venue that fills every order at one price, once for each label, and finds it by that label. */
async function httpVenue(): Promise<{ readonly server: Server; readonly url: string }> {
  const orders = new Map<string, string>();
  const server = createServer((request, response) => {
    const label = request.url?.replace(/^\/orders\/?/, '') ?? '';
    const answer = async (): Promise<void> => {
      if (request.method === 'PUT' && !orders.has(label)) {
        orders.set(label, (await text(request)).replace('{', '{"price":"60000",'));
      }
      const found = label === '' ? `[${[...orders.values()].join(',')}]` : orders.get(label);
      response.writeHead(found === undefined ? 404 : 200).end(found);
    };
    answer().catch((thrown: unknown) => response.writeHead(500).end(String(thrown)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the venue has no port');
  return { server, url: `127.0.0.1:${address.port}` };
}
