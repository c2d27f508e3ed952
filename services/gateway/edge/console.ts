import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { Logger } from '../../platform/logger.ts';
import { builtConsole } from './console-build.ts';
import type { EdgeRequest, EdgeResponse } from './listener.ts';
import { answerText } from './plain-answer.ts';

type Form = 'identity' | 'br' | 'gzip';

/** One file of the console, in each form in which it can be sent. */
interface ConsoleFile {
  readonly type: string;
  readonly tag: string;
  readonly forms: ReadonlyMap<Form, Buffer>;
}

type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** In the order of preference. */
const COMPRESSED: readonly (readonly [Form, string])[] = [
  ['br', '.br'],
  ['gzip', '.gz'],
];
const INDEX = '/index.html';
const ASSETS = '/assets/';
/** Nothing but what the gateway itself serves may run, be shown, or be called. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const SECURITY_HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
} as const;
/** The name of an asset holds its digest: it never changes. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_FIRST = 'no-cache';

export interface Console {
  /** Whether the console answers this: its files, and its pages' addresses when a browser asks for a page. */
  serves(request: EdgeRequest, path: string): boolean;
  answer(request: EdgeRequest, response: EdgeResponse, path: string): void;
}

/** The web console as files in memory, built and read when it is first asked for; a failure is told and tried again. */
export function createConsole(logger: Logger, build: () => Promise<string> = builtConsole): Console {
  let loading: Promise<ConsoleFiles> | undefined;
  const files = (): Promise<ConsoleFiles> => {
    loading ??= load(build, logger).catch((thrown: unknown) => {
      loading = undefined;
      throw thrown;
    });
    return loading;
  };
  return {
    serves(request, path) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return false;
      return path.startsWith(ASSETS) || (isPage(path) && wantsPage(request));
    },
    answer(request, response, path) {
      answerFrom(files, request, response, path).catch((thrown: unknown) => {
        logger.error({ err: thrown }, 'console failed');
        answerText(response, 503, 'the console could not be built; the log of the gateway says why\n');
      });
    },
  };
}

async function answerFrom(
  files: () => Promise<ConsoleFiles>,
  request: EdgeRequest,
  response: EdgeResponse,
  path: string,
): Promise<void> {
  const isAsset = path.startsWith(ASSETS);
  const file = (await files()).get(isAsset ? path : INDEX);
  if (file === undefined) answerText(response, 404, `the console has no file ${path.slice(0, 200)}\n`);
  else send(request, response, file, isAsset ? FOR_EVER : ASK_FIRST);
}

/** Pages have addresses of their own, so that a link to one can be sent; a dot is in names of files and services only. */
function isPage(path: string): boolean {
  return !path.includes('.') && path !== '/healthz' && path !== '/readyz';
}

/** Browsers say that they want a page; curl and clients of RPCs do not. */
function wantsPage(request: EdgeRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

async function load(build: () => Promise<string>, logger: Logger): Promise<ConsoleFiles> {
  const startedMs = performance.now();
  const directory = await build();
  const names = (await readdir(directory, { recursive: true })).filter((name) => extname(name) in TYPES);
  const files = await Promise.all(
    names.map(async (name) => {
      const identity = await readFile(join(directory, name));
      const forms = new Map<Form, Buffer>([['identity', identity]]);
      for (const [form, ending] of COMPRESSED) {
        const compressed = await readFile(`${join(directory, name)}${ending}`).catch(() => undefined);
        if (compressed !== undefined) forms.set(form, compressed);
      }
      const tag = `"${createHash('sha256').update(identity).digest('hex').slice(0, 32)}"`;
      const file: ConsoleFile = { type: TYPES[extname(name)] ?? '', tag, forms };
      return [`/${name.split(sep).join('/')}`, file] as const;
    }),
  );
  logger.info({ files: files.length, tookMs: Math.round(performance.now() - startedMs) }, 'console loaded');
  return new Map(files);
}

function send(request: EdgeRequest, response: EdgeResponse, file: ConsoleFile, cacheControl: string): void {
  if (response.destroyed) return;
  const form = COMPRESSED.map(([name]) => name).find((name) => file.forms.has(name) && accepts(request, name));
  const body = file.forms.get(form ?? 'identity') ?? Buffer.alloc(0);
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': file.type,
    'cache-control': cacheControl,
    etag: file.tag,
    vary: 'accept-encoding',
    ...(form === undefined ? {} : { 'content-encoding': form }),
  };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (request.headers['if-none-match'] === file.tag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.statusCode = 200;
  response.setHeader('content-length', String(body.length));
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

function accepts(request: EdgeRequest, form: Form): boolean {
  const accepted = request.headers['accept-encoding'];
  const text = Array.isArray(accepted) ? accepted.join(',') : (accepted ?? '');
  return text.split(',').some((each) => {
    const [name = '', weight = ''] = each.trim().split(';');
    return name.trim() === form && !/^\s*q=0(?:\.0*)?\s*$/.test(weight);
  });
}
