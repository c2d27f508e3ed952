import {
  createFileRegistry,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  file_grpc_reflection_v1_reflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '../../../proto/gen/grpc/reflection/v1/reflection_pb.js';

const PACKAGE = 'grpc.reflection.v1alpha';
const FILE = 'grpc/reflection/v1alpha/reflection.proto';

/**
 * The older name of the reflection service, which many tools ask for first: the same messages in another package, so its
 * descriptor is the newer one's with the package replaced.
 */
export function alphaReflectionService(): DescService {
  const { proto } = file_grpc_reflection_v1_reflection;
  const renamed = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, proto));
  const rename = (typeName: string): string => typeName.replace(`.${proto.package}.`, `.${PACKAGE}.`);
  for (const field of renamed.messageType.flatMap((message) => message.field)) field.typeName = rename(field.typeName);
  for (const method of renamed.service.flatMap((service) => service.method)) {
    method.inputType = rename(method.inputType);
    method.outputType = rename(method.outputType);
  }
  renamed.name = FILE;
  renamed.package = PACKAGE;
  const service = createFileRegistry(renamed, () => undefined).getService(`${PACKAGE}.ServerReflection`);
  if (service === undefined) throw new Error('the reflection descriptor has no service ServerReflection');
  return service;
}

/** Serves the older name by translating to and from the newer messages, whose bytes are the same. */
export function alphaReflectionInfo(
  service: DescService,
  reflect: (requests: AsyncIterable<ServerReflectionRequest>) => AsyncIterable<ServerReflectionResponse>,
) {
  const [method] = service.methods;
  if (method === undefined || !isBidi(method)) throw new Error(`${service.typeName} must have one method, a stream`);
  const implementation = async function* (requests: AsyncIterable<Message>): AsyncGenerator<Message> {
    for await (const response of reflect(translated(method, requests))) {
      yield fromBinary(method.output, toBinary(ServerReflectionResponseSchema, response));
    }
  };
  return { method, implementation };
}

function isBidi(method: DescMethod): method is DescMethodBiDiStreaming {
  return method.methodKind === 'bidi_streaming';
}

async function* translated(
  method: DescMethodBiDiStreaming,
  requests: AsyncIterable<Message>,
): AsyncGenerator<ServerReflectionRequest> {
  for await (const request of requests) {
    yield fromBinary(ServerReflectionRequestSchema, toBinary(method.input, request));
  }
}
