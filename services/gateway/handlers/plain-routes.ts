import type { DescService } from '@bufbuild/protobuf';
import { answerJson, answerText, type PlainRoutes } from '../edge/plain-answer.ts';
import type { DependencyState } from '../readiness.ts';

/** What the routes for people and load balancers answer from. */
export interface PlainRouteSource {
  readonly version: string;
  readonly services: readonly DescService[];
  readonly readiness: { readonly ready: boolean; readonly states: ReadonlyMap<string, DependencyState> };
}

/** Routes beside the RPCs for clients that are no browser: those get the console at `/`. */
export function plainRoutes(source: PlainRouteSource): PlainRoutes {
  return new Map([
    ['/', (_request, response) => answerText(response, 200, welcome(source))],
    // Alive: the process runs and its loop turns. A dependency that is away is no reason to restart it.
    ['/healthz', (_request, response) => answerText(response, 200, 'ok\n')],
    [
      '/readyz',
      (_request, response) => {
        const { ready, states } = source.readiness;
        answerJson(response, ready ? 200 : 503, { ready, dependencies: Object.fromEntries(states) });
      },
    ],
  ]);
}

function welcome({ version, services }: PlainRouteSource): string {
  const names = services.map((service) => `  ${service.typeName}`).join('\n');
  return `Strategos ${version}, gateway

gRPC, gRPC-Web and Connect (JSON or binary) are served on this port, over HTTP/1.1 and HTTP/2:
${names}

Try:
  curl http://HOST:PORT/strategos.access.v1.AccessService/WhoAmI \\
    -H 'authorization: Bearer TOKEN' -H 'content-type: application/json' -d '{}'
  buf curl --protocol grpc --http2-prior-knowledge -H 'authorization: Bearer TOKEN' -d '{}' \\
    http://HOST:PORT/strategos.command.v1.CommandService/GetCommandStats
  npx strategos --help

State: /healthz, /readyz. Documentation: README.md and ARCHITECTURE.md of the repository.
`;
}
