import { fileURLToPath } from 'node:url';
import { LOOPBACK } from './port.ts';

export type TradingService = 'strategy' | 'market' | 'session' | 'backtest' | 'evaluator' | 'alert';

/** The services that trade: one way to start them all. */
export const TRADING_SERVICES: readonly TradingService[] = [
  'strategy',
  'market',
  'session',
  'backtest',
  'evaluator',
  'alert',
];

/** What every service of one platform is told. */
export interface SharedEnvironment {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Secret between services. */
  readonly internalToken: string;
  /** Public addresses of all executor ports. */
  readonly linkUrls: readonly string[];
  readonly gatewayUrl: string;
  /** Internal addresses of every service's replicas; none for a service that does not run. */
  readonly serviceUrls: Readonly<Record<'command' | TradingService, readonly string[]>>;
}

/** Absolute path of a service's main.ts. */
export function serviceEntry(service: 'command' | 'gateway' | 'executor' | TradingService): string {
  return fileURLToPath(new URL(`../../services/${service}/main.ts`, import.meta.url));
}

export function commandEnvironment(
  shared: SharedEnvironment,
  own: { readonly replicaId: string; readonly port: number; readonly linkPort: number },
): Readonly<Record<string, string>> {
  return {
    ...everyService(shared),
    STRATEGOS_REPLICA_ID: own.replicaId,
    STRATEGOS_COMMAND_PORT: String(own.port),
    STRATEGOS_LINK_PORT: String(own.linkPort),
    STRATEGOS_LINK_URLS: shared.linkUrls.join(','),
    STRATEGOS_GATEWAY_URL: shared.gatewayUrl,
  };
}

export function tradingEnvironment(
  service: TradingService,
  shared: SharedEnvironment,
  own: { readonly replicaId: string; readonly port: number },
): Readonly<Record<string, string>> {
  return {
    ...everyService(shared),
    STRATEGOS_REPLICA_ID: own.replicaId,
    [`STRATEGOS_${service.toUpperCase()}_PORT`]: String(own.port),
    // Alerts are also about whether executors can poll.
    ...(service === 'alert' ? { STRATEGOS_GATEWAY_URL: shared.gatewayUrl } : {}),
  };
}

/** What the environment says of alerts: where notices go, and from when on something is wrong. */
export function alertSettings(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const entries = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith('STRATEGOS_ALERT_') && value !== undefined ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}

export function gatewayEnvironment(
  shared: SharedEnvironment,
  own: { readonly port: number; readonly tokenFile: string },
): Readonly<Record<string, string>> {
  return {
    ...everyService(shared),
    STRATEGOS_PORT: String(own.port),
    STRATEGOS_LINK_URLS: shared.linkUrls.join(','),
    STRATEGOS_BOOTSTRAP_TOKEN_FILE: own.tokenFile,
  };
}

/** Where everything is; services that run nowhere are left out. */
function everyService(shared: SharedEnvironment): Record<string, string> {
  const urls = Object.entries(shared.serviceUrls).filter(([, replicas]) => replicas.length > 0);
  return {
    DATABASE_URL: shared.databaseUrl,
    NATS_URL: shared.natsUrl,
    STRATEGOS_INTERNAL_TOKEN: shared.internalToken,
    STRATEGOS_HOST: LOOPBACK,
    ...Object.fromEntries(urls.map(([name, replicas]) => [`STRATEGOS_${name.toUpperCase()}_URLS`, replicas.join(',')])),
  };
}

/** Plaintext address of a loopback port. */
export function loopbackUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}
