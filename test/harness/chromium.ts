import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readEnv } from '../../services/platform/environment.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The system's Chromium, or the one that CHROMIUM_PATH names; undefined where there is none. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH = '', PATH = '' } = readEnv();
  const installed = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [CHROMIUM_PATH, ...installed].find((path) => path !== '' && existsSync(path));
}
