import {
  create,
  createRegistry,
  type DescExtension,
  type DescFile,
  type DescService,
  type Registry,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  ErrorResponseSchema,
  ExtensionNumberResponseSchema,
  FileDescriptorResponseSchema,
  ListServiceResponseSchema,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '../../../proto/gen/grpc/reflection/v1/reflection_pb.js';

type Answer = ServerReflectionResponse['messageResponse'];

/** The descriptors that are spoken of. */
interface Catalogue {
  readonly services: readonly DescService[];
  readonly files: readonly DescFile[];
  readonly registry: Registry;
}

/** Answers each question on the stream about the descriptors of the given services and all that these rest on. */
export function serverReflectionInfo(services: readonly DescService[]) {
  const files = [...new Set(services.flatMap((service) => withDependencies(service.file)))];
  const catalogue: Catalogue = { services, files, registry: createRegistry(...files) };
  return async function* (requests: AsyncIterable<ServerReflectionRequest>): AsyncGenerator<ServerReflectionResponse> {
    for await (const request of requests) {
      yield create(ServerReflectionResponseSchema, {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(catalogue, request.messageRequest),
      });
    }
  };
}

function answer(catalogue: Catalogue, asked: ServerReflectionRequest['messageRequest']): Answer {
  switch (asked.case) {
    case 'listServices': {
      const service = catalogue.services.map(({ typeName }) => ({ name: typeName }));
      return { case: 'listServicesResponse', value: create(ListServiceResponseSchema, { service }) };
    }
    case 'fileByFilename':
      return filesFrom(
        catalogue.files.find((file) => file.proto.name === asked.value),
        asked.value,
      );
    case 'fileContainingSymbol':
      return filesFrom(fileOf(catalogue.registry, asked.value), asked.value);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = asked.value;
      const found = extensionsOf(catalogue.registry, containingType).find(({ number }) => number === extensionNumber);
      return filesFrom(found?.file, `extension ${extensionNumber} of ${containingType}`);
    }
    case 'allExtensionNumbersOfType':
      return extensionNumbers(catalogue.registry, asked.value);
    case undefined:
      return failure(Code.InvalidArgument, 'nothing is asked; set one of message_request');
    default:
      asked satisfies never;
      return failure(Code.Unimplemented, 'this question is not known here');
  }
}

/** The file with everything it imports, so that no second question is needed. */
function filesFrom(file: DescFile | undefined, wanted: string): Answer {
  if (file === undefined) return failure(Code.NotFound, `${wanted} is not known here`);
  const fileDescriptorProto = withDependencies(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: create(FileDescriptorResponseSchema, { fileDescriptorProto }) };
}

function extensionNumbers(registry: Registry, baseTypeName: string): Answer {
  if (registry.getMessage(baseTypeName) === undefined)
    return failure(Code.NotFound, `${baseTypeName} is not known here`);
  const extensionNumber = extensionsOf(registry, baseTypeName).map(({ number }) => number);
  return {
    case: 'allExtensionNumbersResponse',
    value: create(ExtensionNumberResponseSchema, { baseTypeName, extensionNumber }),
  };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: create(ErrorResponseSchema, { errorCode, errorMessage }) };
}

/** A symbol is a type, or a part of one: a method, field or enum value is in the file of what holds it. */
function fileOf(registry: Registry, symbol: string): DescFile | undefined {
  const holder = symbol.slice(0, Math.max(0, symbol.lastIndexOf('.')));
  return (registry.get(symbol) ?? registry.get(holder))?.file;
}

function extensionsOf(registry: Registry, typeName: string): DescExtension[] {
  return [...registry].filter(
    (desc): desc is DescExtension => desc.kind === 'extension' && desc.extendee.typeName === typeName,
  );
}

/** The file first, each file once. */
function withDependencies(file: DescFile): DescFile[] {
  const found = new Set<DescFile>();
  const visit = (next: DescFile): void => {
    if (found.has(next)) return;
    found.add(next);
    next.dependencies.forEach(visit);
  };
  visit(file);
  return [...found];
}
