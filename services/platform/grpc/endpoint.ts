import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from '@connectrpc/connect';

/** A method with its implementation, at its path `/pkg.Service/Method`. */
export interface Endpoint {
  readonly path: string;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly spec: MethodImplSpec;
}

/** The endpoints of a service; methods that the implementation leaves out answer UNIMPLEMENTED. */
export function endpointsOf<S extends DescService>(service: S, implementation: Partial<ServiceImpl<S>>): Endpoint[] {
  return Object.values(createServiceImplSpec<S>(service, implementation).methods).map((spec) => ({
    path: pathOf(spec.method),
    service,
    method: spec.method,
    spec,
  }));
}

/** The HTTP/2 path of a method. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
