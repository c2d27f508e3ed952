import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DATA_DIRECTORY_DEFAULT, type DataDirectory, dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { readIfThere } from '../../deploy/local/process-record.ts';
import { readEnv } from '../platform/environment.ts';
import { CliError, EXIT, usageError } from './terminal/errors.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
}

/** Where to call and as whom. */
export interface Settings {
  readonly url: string;
  readonly token: string;
}

/** The data folder: --data, STRATEGOS_DATA, or the nearest `.strategos` in this folder or above it. */
export function dataDirectory(options: GlobalOptions): DataDirectory {
  return dataDirectoryAt(options.data ?? present(readEnv()['STRATEGOS_DATA']) ?? nearest());
}

/** The address to call: --url, STRATEGOS_URL, or the platform that runs on the data folder. @throws CliError usage. */
export async function resolveUrl(options: GlobalOptions): Promise<string> {
  const data = dataDirectory(options);
  const url = explicitUrl(options) ?? (await fileText(data.urlFile));
  if (url === undefined) {
    throw usageError(
      `no address: no platform has been started on ${data.root}; start one with strategos up, or set --url or STRATEGOS_URL`,
    );
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usageError(`"${url}" is not an address; write http://host:port or https://host:port`);
  }
  return url;
}

/**
 * Address and token. The data folder's token is the founding admin's: it is sent to the data folder's own platform and to
 * this machine, never to another address.
 * @throws CliError when there is no token to use.
 */
export async function resolveSettings(options: GlobalOptions): Promise<Settings> {
  const data = dataDirectory(options);
  const url = await resolveUrl(options);
  const explicit = present(options.token) ?? present(readEnv()['STRATEGOS_TOKEN']);
  if (explicit !== undefined) return { url, token: explicit };
  if (url !== (await fileText(data.urlFile)) && !isLoopback(url)) {
    throw new CliError(EXIT.failed, `no token for ${url}; set --token or STRATEGOS_TOKEN`);
  }
  const token = await fileText(data.tokenFile);
  if (token === undefined) {
    throw new CliError(
      EXIT.failed,
      `no token: ${data.tokenFile} is not there; set --token or STRATEGOS_TOKEN, or make one with strategos token recover`,
    );
  }
  return { url, token };
}

function explicitUrl(options: GlobalOptions): string | undefined {
  return present(options.url) ?? present(readEnv()['STRATEGOS_URL']);
}

function nearest(): string {
  for (let folder = resolve('.'); ; folder = dirname(folder)) {
    const candidate = join(folder, DATA_DIRECTORY_DEFAULT);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return resolve(DATA_DIRECTORY_DEFAULT);
  }
}

async function fileText(path: string): Promise<string | undefined> {
  return present((await readIfThere(path))?.trim());
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
