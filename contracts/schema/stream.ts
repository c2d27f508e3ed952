/** The stream of messages that a library hands out untyped; what they are is for the caller to know. */
export function streamOf<T>(value: unknown): AsyncIterable<T> {
  if (!isStream<T>(value)) throw new Error('what should be a stream is none');
  return value;
}

function isStream<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** The same stream, each message changed on its way. */
export async function* changed<T>(messages: AsyncIterable<T>, change: (message: T) => T): AsyncGenerator<T> {
  for await (const message of messages) yield change(message);
}
