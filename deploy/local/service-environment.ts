import { fileURLToPath } from 'node:url';
import { LOOPBACK } from './port.ts';

/** What every service of one platform is told. */
export interface SharedEnvironment {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Secret between services. */
  readonly internalToken: string;
  /** Public addresses of all executor ports. */
  readonly linkUrls: readonly string[];
  readonly gatewayUrl: string;
}

/** Absolute path of a service's main.ts. */
export function serviceEntry(service: 'command' | 'gateway' | 'executor'): string {
  return fileURLToPath(new URL(`../../services/${service}/main.ts`, import.meta.url));
}

export function commandEnvironment(
  shared: SharedEnvironment,
  own: { readonly replicaId: string; readonly port: number; readonly linkPort: number },
): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: shared.databaseUrl,
    NATS_URL: shared.natsUrl,
    STRATEGOS_INTERNAL_TOKEN: shared.internalToken,
    STRATEGOS_REPLICA_ID: own.replicaId,
    STRATEGOS_HOST: LOOPBACK,
    STRATEGOS_COMMAND_PORT: String(own.port),
    STRATEGOS_LINK_PORT: String(own.linkPort),
    STRATEGOS_LINK_URLS: shared.linkUrls.join(','),
    STRATEGOS_GATEWAY_URL: shared.gatewayUrl,
  };
}

export function gatewayEnvironment(
  shared: SharedEnvironment,
  own: { readonly port: number; readonly commandUrls: readonly string[]; readonly tokenFile: string },
): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: shared.databaseUrl,
    NATS_URL: shared.natsUrl,
    STRATEGOS_INTERNAL_TOKEN: shared.internalToken,
    STRATEGOS_HOST: LOOPBACK,
    STRATEGOS_PORT: String(own.port),
    STRATEGOS_COMMAND_URLS: own.commandUrls.join(','),
    STRATEGOS_LINK_URLS: shared.linkUrls.join(','),
    STRATEGOS_BOOTSTRAP_TOKEN_FILE: own.tokenFile,
  };
}

/** Plaintext address of a loopback port. */
export function loopbackUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}
