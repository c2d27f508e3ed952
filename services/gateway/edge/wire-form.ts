/** How a request is written: which protocol, and whether messages are JSON and stand in envelopes. */
export interface WireForm {
  readonly protocol: 'connect' | 'grpc' | 'grpc-web';
  readonly json: boolean;
  /** Messages stand behind five bytes of flags and length, as everywhere but in unary Connect calls. */
  readonly enveloped: boolean;
  /** Header that names the compression of the message or messages. */
  readonly encodingHeader: string;
}

const CONTENT_TYPE = /^application\/(?:(connect\+)|(grpc-web)\+?|(grpc)\+?)?(json|proto)?(?: *;.*)?$/i;

/** Reads the content type; undefined when it is none that RPCs are served in. */
export function wireForm(contentType: string | null): WireForm | undefined {
  const match = CONTENT_TYPE.exec(contentType ?? '');
  if (match === null) return undefined;
  const [, connectStream, grpcWeb, grpc, codec] = match;
  const json = codec?.toLowerCase() === 'json';
  if (grpcWeb !== undefined) return { protocol: 'grpc-web', json, enveloped: true, encodingHeader: 'grpc-encoding' };
  if (grpc !== undefined) return { protocol: 'grpc', json, enveloped: true, encodingHeader: 'grpc-encoding' };
  if (codec === undefined) return undefined;
  if (connectStream !== undefined) {
    return { protocol: 'connect', json, enveloped: true, encodingHeader: 'connect-content-encoding' };
  }
  return { protocol: 'connect', json, enveloped: false, encodingHeader: 'content-encoding' };
}
