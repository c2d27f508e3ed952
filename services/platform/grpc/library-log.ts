import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * Keeps grpc-js from writing to stderr by itself, also about headers that a stranger sent: what is worth knowing is logged
 * by the server and returned by the transport here.
 */
export function silenceLibraryLog(): void {
  setLogVerbosity(logVerbosity.NONE);
}
