import { z } from 'zod';
import { ConfigError } from './environment.ts';

/** A setting that must never be shown: `toString`, JSON and inspection all give a placeholder. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/**
 * Turns variables into a typed configuration. Empty variables count as absent.
 * @throws ConfigError naming every bad variable at once.
 */
export function parseEnv<T extends z.ZodType>(
  schema: T,
  env: Readonly<Record<string, string | undefined>>,
): z.infer<T> {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(all)'}: ${issue.message}`);
  throw new ConfigError(`the configuration cannot be used:\n${lines.join('\n')}`);
}

/** Building blocks for configuration schemas. */
export const setting = {
  port: () => z.coerce.number().int().min(0).max(65_535),
  count: (min: number, max: number) => z.coerce.number().int().min(min).max(max),
  /** Comma-separated list without empty entries. */
  list: () =>
    z.string().transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
  secret: () =>
    z
      .string()
      .min(1)
      .transform((value) => new Secret(value)),
  logLevel: () => z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
} as const;
