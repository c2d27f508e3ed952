import { Code, ConnectError } from '@connectrpc/connect';
import type { ConnectResponse } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Answer } from '../providers/door-proxy.ts';
import {
  ACCESS_SERVICE,
  breaking,
  COMMAND,
  COMMAND_SERVICE,
  edit,
  EVALUATOR_SERVICE,
  harmless,
  LINK,
  MARKET_SERVICE,
  type Mutation,
  SESSION,
} from './mutation.ts';
import type { Frames } from './streams.ts';

const GET = '  rpc GetCommand(GetCommandRequest) returns (GetCommandResponse) {\n';
const VIEWED = `${GET}    option idempotency_level = NO_SIDE_EFFECTS;\n    option (strategos.access.v1.required_role) = ROLE_VIEWER;`;
const OPERATED =
  '  rpc RetryCommand(RetryCommandRequest) returns (RetryCommandResponse) {\n    option (strategos.access.v1.required_role) = ROLE_OPERATOR;';
const IMPORT_MAX = '    option (strategos.access.v1.request_bytes_max) = 12582912;\n';
const CACHES =
  '  rpc ListCaches(ListCachesRequest) returns (ListCachesResponse) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n';
const GOODBYE =
  '// Goodbye announces that the agent leaves on purpose.\nmessage Goodbye {\n  string reason = 1;\n}\n\n';

/** The end of each stream is another than the platform gave it. */
function ended(other: (error: ConnectError) => ConnectError) {
  return async function* (frames: Frames): AsyncGenerator<ConnectResponse> {
    try {
      yield* frames;
    } catch (thrown) {
      throw other(ConnectError.from(thrown));
    }
  };
}

/** The refusal of a stale epoch is said in another body. */
function refused(change: (body: string) => string): (answer: Answer) => Answer {
  return (answer) => (answer.status === 409 ? { ...answer, body: change(answer.body) } : answer);
}

/** Changes that look like none: the bytes, the names or the messages stay as they were. */
export const DEEP_MUTATIONS: readonly Mutation[] = [
  breaking('make a wide number narrow', edit(LINK, '  int64 sequence = 3;', '  int32 sequence = 3;')),
  breaking(
    'key a map by numbers',
    edit(COMMAND, 'map<string, string> metadata = 5;', 'map<int32, string> metadata = 5;'),
  ),
  breaking(
    'make the entries of a map messages',
    edit(
      COMMAND,
      'map<string, string> metadata = 5;',
      'message Fact {\n    string key = 1;\n    string value = 2;\n  }\n  repeated Fact metadata = 5;',
    ),
  ),
  breaking(
    'move a message to another file',
    edit(LINK, GOODBYE, ''),
    edit(COMMAND, 'message CommandError {', `${GOODBYE}message CommandError {`),
  ),
  breaking(
    'move a message into another',
    edit(LINK, GOODBYE, ''),
    edit(LINK, 'message Welcome {\n', 'message Welcome {\n  message Goodbye {\n    string reason = 1;\n  }\n'),
    edit(LINK, '    Goodbye goodbye = ', '    Welcome.Goodbye goodbye = '),
  ),
  breaking(
    'say of a read that it changes something',
    edit(COMMAND_SERVICE, `${GET}    option idempotency_level = NO_SIDE_EFFECTS;\n`, GET),
  ),
  breaking('ask for a higher role', edit(COMMAND_SERVICE, VIEWED, VIEWED.replace('VIEWER', 'OPERATOR'))),
  breaking(
    'ask for no role, so that nobody is served',
    edit(COMMAND_SERVICE, VIEWED, VIEWED.replace(/\n[^\n]*ROLE_VIEWER;/, '')),
  ),
  breaking(
    'take smaller files',
    edit(MARKET_SERVICE, 'request_bytes_max) = 12582912;', 'request_bytes_max) = 8388608;'),
  ),
  breaking('take files no larger than all else', edit(MARKET_SERVICE, IMPORT_MAX, '')),
  breaking(
    'give a value of an enum another name before the one that it has',
    edit(ACCESS_SERVICE, 'enum Role {', 'enum Role {\n  option allow_alias = true;'),
    edit(ACCESS_SERVICE, '  ROLE_OPERATOR = 2;', '  ROLE_TRADER = 2;\n  ROLE_OPERATOR = 2;'),
  ),
  breaking('make an enum a number', edit(SESSION, '  SessionState state = 3;', '  int32 state = 3;')),
  harmless(
    'pack a list of numbers otherwise',
    edit(LINK, '  repeated int64 numbers = 2;', '  repeated int64 numbers = 2 [packed = false];'),
  ),
  harmless('ask for a lower role', edit(COMMAND_SERVICE, OPERATED, OPERATED.replace('OPERATOR', 'VIEWER'))),
  harmless(
    'take larger files',
    edit(MARKET_SERVICE, 'request_bytes_max) = 12582912;', 'request_bytes_max) = 16777216;'),
  ),
  harmless(
    'serve operators what was for other services alone',
    edit(EVALUATOR_SERVICE, CACHES, `${CACHES}    option (strategos.access.v1.required_role) = ROLE_ADMIN;\n`),
  ),
  {
    name: 'end streams with their code and no reason',
    breaks: true,
    stream: ended((error) => new ConnectError(error.rawMessage, error.code)),
  },
  {
    name: 'end streams with their reason and another code',
    breaks: true,
    stream: ended((error) => {
      const other = new ConnectError(error.rawMessage, Code.Unavailable, error.metadata);
      other.details = error.details;
      return other;
    }),
  },
  {
    name: 'give reasons as details of another type',
    breaks: true,
    door: { answer: refused((body) => body.replaceAll('google.rpc.ErrorInfo', 'google.rpc.Help')) },
  },
  {
    name: 'give reasons in the message alone',
    breaks: true,
    door: { answer: refused((body) => body.replace(/,"details":\[.*\]/, '')) },
  },
];
