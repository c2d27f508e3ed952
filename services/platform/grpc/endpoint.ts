import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import { createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from '@connectrpc/connect';

/** A method with its implementation, at its path `/pkg.Service/Method`. */
export interface Endpoint {
  readonly path: string;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly spec: MethodImplSpec;
  readonly quickDecoder: QuickDecoder | undefined;
}

/** Reads the usual requests of a method, and gives undefined for those that it leaves to the ordinary decoder. */
export type QuickDecoder = (bytes: Uint8Array) => Message | undefined;

/** Quick decoders of a service's methods, by their names in TypeScript. */
export type QuickDecoders<S extends DescService> = { readonly [Name in keyof S['method']]?: QuickDecoder };

/** The endpoints of a service; methods that the implementation leaves out answer UNIMPLEMENTED. */
export function endpointsOf<S extends DescService>(
  service: S,
  implementation: Partial<ServiceImpl<S>>,
  quickDecoders: QuickDecoders<S> = {},
): Endpoint[] {
  const decoders = new Map<string, QuickDecoder | undefined>(Object.entries(quickDecoders));
  return Object.values(createServiceImplSpec<S>(service, implementation).methods).map((spec) => ({
    path: pathOf(spec.method),
    service,
    method: spec.method,
    spec,
    quickDecoder: decoders.get(spec.method.localName),
  }));
}

/** The HTTP/2 path of a method. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
