/** Environment variables as read once, at the start of a process. Nothing else reads `process.env`. */
export function readEnv(): Readonly<Record<string, string | undefined>> {
  return { ...process.env };
}

/** Configuration that cannot be used; the message lists every bad variable with what is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
