import { fileURLToPath } from 'node:url';
import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { Interceptor, Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { type Element, HTMLElement, HTMLInputElement, HTMLSelectElement, Window } from 'happy-dom';
import { createServer, isRunnableDevEnvironment, type Plugin, type ViteDevServer } from 'vite';
import type { ModuleRunner } from 'vite/module-runner';
import { until } from '../../test/harness/until.ts';
import { streamOf } from '../schema/stream.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ORIGIN = 'http://console.invalid';
const TOKEN_KEY = 'strategos.token';
/** Where the console finds the transport that this file gives it. */
const DOOR = 'strategos.contracts.transport';
const LINES_PX = 800;
const HASTE = 10;
const PAUSE_MS_MIN = 50;
const SHOWN_MS_MAX = 15_000;
/** What the console takes from a browser; whatever else it uses, Node has too. */
const OF_A_BROWSER = [
  'window',
  'document',
  'location',
  'history',
  'sessionStorage',
  'localStorage',
  'HTMLElement',
  'HTMLIFrameElement',
  'Element',
  'Node',
  'FormData',
  'MutationObserver',
  'ResizeObserver',
  'matchMedia',
  'getComputedStyle',
  'addEventListener',
  'removeEventListener',
] as const;

/** The gateway, as the console meets it. */
export interface ConsoleWire {
  /** Answers a call; `path` names the RPC. */
  readonly call: (path: string, init: RequestInit) => Promise<Response>;
  /** What a stream says before it falls silent. */
  readonly stream: (method: DescMethod) => readonly Message[];
  /** Sees whatever the console is answered before the console does. */
  readonly watch: <T extends Message>(method: DescMethod, message: T) => T;
}

/**
 * The whole console, by the script that browsers load, in pages that exist in memory alone. Its calls are in JSON, which pacts
 * can say; only the form is another than in a browser. It takes over the process that it is in, and ends with it.
 */
export class ConsoleBench {
  readonly #window = new Window({ url: ORIGIN });
  /** Runs the script anew for each page; the server behind it remembers what it has compiled. */
  readonly #runner: ModuleRunner;

  private constructor(server: ViteDevServer) {
    const { ssr } = server.environments;
    if (!isRunnableDevEnvironment(ssr)) throw new Error('scripts of the console cannot be run here');
    this.#runner = ssr.runner;
    for (const name of OF_A_BROWSER) {
      const value: unknown = Reflect.get(this.#window, name);
      // Functions that are called without their window have to know it.
      const bound: unknown = typeof value === 'function' && /^[a-z]/.test(name) ? value.bind(this.#window) : value;
      Object.defineProperty(globalThis, name, { value: bound, configurable: true, writable: true });
    }
    hasten();
    // Lists draw only the lines that there is room for.
    Object.defineProperty(HTMLElement.prototype, 'clientHeight', { get: () => LINES_PX });
  }

  static async start(): Promise<ConsoleBench> {
    const server = await createServer({
      configFile: false,
      root: ROOT,
      mode: 'production',
      logLevel: 'error',
      appType: 'custom',
      server: { middlewareMode: true, ws: false, hmr: false, watch: null },
      optimizeDeps: { noDiscovery: true },
      plugins: [standIns],
      // Packages are left to Node, which asks no plugin.
      ssr: { noExternal: Object.keys(STAND_INS) },
    });
    return new ConsoleBench(server);
  }

  /** Opens the console anew at an address, and hands the page to `use`. An empty token: nobody is signed in. */
  async open(
    { address, token }: { readonly address: string; readonly token: string },
    wire: ConsoleWire,
    use: (page: ConsolePage) => Promise<void>,
  ): Promise<void> {
    const window = this.#window;
    window.sessionStorage.setItem(TOKEN_KEY, token);
    window.history.replaceState(null, '', address);
    window.document.body.innerHTML = '<div id="root"></div>';
    const closed = new AbortController();
    Reflect.set(globalThis, Symbol.for(DOOR), (options: TransportOptions) => transportOf(options, wire, closed.signal));
    this.#runner.clearCache();
    await this.#runner.import('/services/console/main.tsx');
    const page = new ConsolePage(window.document.body);
    try {
      await use(page);
    } finally {
      closed.abort(new Error('the page was closed'));
      page.find('Sign out')?.click();
    }
  }
}

/** What a person does with a page. */
export class ConsolePage {
  readonly #body: HTMLElement;

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  /** Waits until all of it is there to be read. */
  async shows(...texts: readonly string[]): Promise<void> {
    const missing = (): string[] => texts.filter((text) => !this.#body.textContent.includes(text));
    try {
      await until(() => missing().length === 0, 'shown', SHOWN_MS_MAX);
    } catch (thrown) {
      const shown = this.#body.textContent.slice(0, 2_000);
      throw new Error(`the console does not show ${missing().join(' | ')}, but ${shown}`, { cause: thrown });
    }
  }

  async press(text: string): Promise<void> {
    const button = await until(() => this.find(text), `the button ${text}`, SHOWN_MS_MAX);
    await until(() => !button.hasAttribute('disabled'), `the button ${text} can be pressed`, SHOWN_MS_MAX);
    button.click();
  }

  /** Fills in the field with that label. */
  async fill(label: string, value: string): Promise<void> {
    const field = await until(() => this.#labelled(label), `the field ${label}`, SHOWN_MS_MAX);
    const { prototype } = field instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
    // React notices by the setter of the class whether a person has typed.
    Object.getOwnPropertyDescriptor(prototype, 'value')?.set?.call(field, value);
    const { Event } = field.ownerDocument.defaultView ?? {};
    if (Event !== undefined)
      field.dispatchEvent(new Event(field instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
  }

  /** The last button that says exactly this. */
  find(text: string): HTMLElement | undefined {
    return [...this.#body.querySelectorAll('button')].findLast((each) => each.textContent.trim() === text);
  }

  #labelled(label: string): Element | undefined {
    const found = [...this.#body.querySelectorAll('label')].findLast((each) => each.textContent.trim() === label);
    const id = found?.getAttribute('for');
    return id === undefined || id === null ? undefined : (this.#body.querySelector(`[id="${id}"]`) ?? undefined);
  }
}

type TransportOptions = Parameters<typeof createConnectTransport>[0];

/** The console's transport with its own interceptors, over another wire. */
function transportOf(options: TransportOptions, wire: ConsoleWire, closed: AbortSignal): Transport {
  const watching: Interceptor = (next) => async (request) => {
    const response = await next(request);
    if (response.stream) return response;
    return Object.assign({ ...response }, { message: wire.watch(request.method, response.message) });
  };
  const calls = createConnectTransport({
    ...options,
    useBinaryFormat: false,
    interceptors: [...(options.interceptors ?? []), watching],
    fetch: (input, init = {}) =>
      closed.aborted ? never() : wire.call(new URL(input instanceof Request ? input.url : input).pathname, init),
  });
  return {
    unary: (...call) => calls.unary(...call),
    stream: async (method, signal) => ({
      stream: true,
      service: method.parent,
      method,
      header: new Headers(),
      trailer: new Headers(),
      message: streamOf(sayAll(wire, method, AbortSignal.any([closed, ...(signal === undefined ? [] : [signal])]))),
    }),
  };
}

/** What pages wait for on purpose, so that nothing flickers, comes ten times as soon: nobody watches. */
function hasten(): void {
  const { setTimeout: unhurried } = globalThis;
  const hasty = (callback: () => void, delayMs = 0): NodeJS.Timeout =>
    unhurried(callback, delayMs < PAUSE_MS_MIN ? delayMs : delayMs / HASTE);
  Object.defineProperty(globalThis, 'setTimeout', { value: hasty, configurable: true, writable: true });
}

/** Says what there is to say, and is silent until the page wants no more. */
async function* sayAll(wire: ConsoleWire, method: DescMethod, ended: AbortSignal): AsyncGenerator<Message> {
  for (const message of wire.stream(method)) yield wire.watch(method, message);
  await new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve()));
}

/** The answer that does not come. */
export function never(): Promise<Response> {
  return new Promise(() => undefined);
}

/** What a page in memory cannot have: scripts take what opens connections from here, and charts are drawn by nobody. */
const STAND_INS: Readonly<Record<string, string>> = {
  '@connectrpc/connect-web': `export const createConnectTransport = (options) => globalThis[Symbol.for('${DOOR}')](options);`,
  uplot: 'export default class { setData() {} setSize() {} destroy() {} }',
};
const OURS = '\0stands in for ';

const standIns: Plugin = {
  name: 'stand-ins',
  enforce: 'pre',
  resolveId: (id) => (STAND_INS[id] === undefined ? undefined : `${OURS}${id}`),
  load: (id) => (id.startsWith(OURS) ? STAND_INS[id.slice(OURS.length)] : undefined),
};
