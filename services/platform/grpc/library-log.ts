import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

// grpc-js writes to stderr by itself, also about headers that a stranger sent. Everything worth knowing is logged by the
// server and the transport here, as structured lines.
setLogVerbosity(logVerbosity.NONE);
