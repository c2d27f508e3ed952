import type { GatewayConfig } from '../config.ts';
import type { Check } from '../domain/check.ts';
import { natsChecks } from './nats-checks.ts';
import { postgresChecks } from './postgres-checks.ts';
import { serviceChecks } from './service-checks.ts';

/** Everything that the gateway can look at, at once; the answers in the order in which they build on each other. */
export async function diagnose(
  config: Pick<GatewayConfig, 'databaseUrl' | 'natsUrl' | 'commandUrls' | 'tradingUrls'>,
): Promise<Check[]> {
  const services = Object.entries({ command: config.commandUrls, ...config.tradingUrls });
  const running = services.filter(([, urls]) => urls.length > 0).map(([service]) => service);
  const groups = await Promise.all([
    postgresChecks(config.databaseUrl, ['gateway', ...running]),
    natsChecks(config.natsUrl),
    ...services.map(([service, urls]) => serviceChecks(service, urls)),
  ]);
  return groups.flat();
}
