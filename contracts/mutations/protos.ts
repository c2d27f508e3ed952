import { breaking, COMMAND, edit, harmless, KIND, LINK, type Mutation } from './mutation.ts';

const DELIVERY = 'message CommandDelivery {\n  string command_id = 1;';

/** Changes of the protos. */
export const PROTO_MUTATIONS: readonly Mutation[] = [
  breaking('rename a field that the agent reads', edit(LINK, DELIVERY, DELIVERY.replace('command_id', 'id'))),
  breaking(
    'rename a field of the welcome',
    edit(LINK, 'message Welcome {\n  int64 stream_epoch = 1;', 'message Welcome {\n  int64 epoch = 1;'),
  ),
  breaking(
    'rename a field that the platform reads',
    edit(LINK, 'string journal_id = 1;\n  string agent_version', 'string journal_name = 1;\n  string agent_version'),
  ),
  breaking(
    'rename a parameter of a kind',
    edit(KIND, 'message StopAll {\n  bool close_positions = 1;', 'message StopAll {\n  bool close = 1;'),
  ),
  breaking(
    'call the commands types',
    edit(LINK, 'repeated CommandDelivery commands = 1;', 'repeated CommandDelivery types = 1;'),
  ),
  breaking(
    'renumber a field',
    edit(LINK, 'google.protobuf.Timestamp create_time = 30;', 'google.protobuf.Timestamp create_time = 40;'),
  ),
  breaking(
    'exchange the numbers of two fields',
    edit(
      KIND,
      'message CancelOrders {\n  string session_id = 1;\n  string strategy_id = 2;',
      'message CancelOrders {\n  string session_id = 2;\n  string strategy_id = 1;',
    ),
  ),
  breaking('renumber an event', edit(LINK, 'Finished finished = 13;', 'Finished finished = 19;')),
  breaking('renumber a frame', edit(LINK, 'Drain drain = 8;', 'Drain drain = 18;')),
  breaking(
    'make a number a text',
    edit(LINK, 'google.protobuf.Duration finish_within = 33;', 'string finish_within = 33;'),
  ),
  breaking('make a decimal a double', edit(KIND, '  string quantity = 5;', '  double quantity = 5;')),
  breaking('retype within the same JSON', edit(LINK, '  int64 sequence = 3;', '  sint64 sequence = 3;')),
  breaking(
    'make a text bytes',
    edit(LINK, 'message Goodbye {\n  string reason = 1;', 'message Goodbye {\n  bytes reason = 1;'),
  ),
  breaking('remove a field', edit(LINK, '  google.protobuf.Timestamp create_time = 30;\n', '')),
  breaking(
    'remove and reserve a field',
    edit(LINK, '  google.protobuf.Duration start_within = 31;', '  reserved 31;\n  reserved "start_within";'),
  ),
  breaking('remove a field of the hello', edit(LINK, '  repeated JournalEntry journal = 6;\n', '')),
  breaking('remove a kind', edit(LINK, '    Ping ping = 21;\n', '')),
  breaking('remove a frame', edit(LINK, '    Inquiry inquiry = 5;\n', '')),
  breaking('make a field repeated', edit(LINK, '  string ordering_key = 4;', '  repeated string ordering_key = 4;')),
  breaking(
    'make a repeated field single',
    edit(
      LINK,
      'message CancelBatch {\n  repeated string command_ids = 1;',
      'message CancelBatch {\n  string command_ids = 1;',
    ),
  ),
  breaking(
    'move a field into a oneof',
    edit(
      LINK,
      '    Ping ping = 21;\n  }\n  google.protobuf.Timestamp create_time = 30;',
      '    Ping ping = 21;\n    google.protobuf.Timestamp create_time = 30;\n  }',
    ),
  ),
  breaking('move a kind out of its oneof', edit(LINK, '    Ping ping = 21;\n  }', '  }\n  Ping ping = 21;')),
  breaking(
    'split a oneof',
    edit(
      LINK,
      '    CancelOrders cancel_orders = 20;\n    Ping ping = 21;\n  }',
      '    CancelOrders cancel_orders = 20;\n  }\n  oneof query {\n    Ping ping = 21;\n  }',
    ),
  ),
  breaking('rename an enum value', edit(COMMAND, '  LANE_HIGH = 2;', '  LANE_EXIT = 2;')),
  breaking(
    'renumber an enum value',
    edit(COMMAND, '  COMMAND_STATE_SUCCEEDED = 5;', '  COMMAND_STATE_SUCCEEDED = 15;'),
  ),
  breaking('remove an enum value', edit(COMMAND, '  COMMAND_STATE_OUTCOME_UNKNOWN = 10;\n', '')),
  breaking(
    'exchange two enum values',
    edit(KIND, '  SIDE_BUY = 1;\n  SIDE_SELL = 2;', '  SIDE_SELL = 1;\n  SIDE_BUY = 2;'),
  ),
  breaking(
    'give a field another name in JSON',
    edit(
      LINK,
      '  int32 attempt = 2;\n  // How long ago',
      '  int32 attempt = 2 [json_name = "try"];\n  // How long ago',
    ),
  ),
  breaking('rename an RPC', edit(LINK, 'rpc PollCommands(', 'rpc Poll(')),
  breaking(
    'end the stream of the answers',
    edit(
      LINK,
      'rpc Connect(stream ConnectRequest) returns (stream ConnectResponse);',
      'rpc Connect(stream ConnectRequest) returns (ConnectResponse);',
    ),
  ),
  breaking('give a field presence', edit(LINK, '  bool overtakes = 37;', '  optional bool overtakes = 37;')),
  harmless('add a field', edit(LINK, '  bool overtakes = 37;', '  bool overtakes = 37;\n  string account_id = 90;')),
  harmless(
    'add a field to the hello',
    edit(LINK, '  string platform = 9;', '  string platform = 9;\n  string region = 90;'),
  ),
  harmless(
    'add a message',
    edit(
      LINK,
      'message Goodbye {',
      'message Greeting {\n  string text = 1;\n}\n\n// Goodbye announces that the agent leaves on purpose.\nmessage Goodbye {',
    ),
  ),
  harmless(
    'add a value to an enum',
    edit(KIND, '  SESSION_MODE_BACKTEST = 3;', '  SESSION_MODE_BACKTEST = 3;\n  SESSION_MODE_REHEARSAL = 4;'),
  ),
  harmless(
    'add a kind that an agent has to offer',
    edit(LINK, '    Ping ping = 21;', '    Ping ping = 21;\n    Rebalance rebalance = 99;'),
    edit(
      KIND,
      'message Ping {',
      'message Rebalance {\n  string session_id = 1;\n}\n\n// Ping goes the whole way.\nmessage Ping {',
    ),
  ),
  harmless(
    'add a frame that only new agents ask for',
    edit(LINK, '    Superseded superseded = 9;', '    Superseded superseded = 9;\n    Goodbye farewell = 99;'),
  ),
  harmless(
    'add an RPC',
    edit(
      LINK,
      '  rpc PollCommands(',
      '  rpc PollAgain(PollCommandsRequest) returns (PollCommandsResponse);\n  rpc PollCommands(',
    ),
  ),
  harmless('change a comment', edit(LINK, '// True for StopAll: waits for nothing.', '// It overtakes everything.')),
  harmless(
    'declare fields in another order',
    edit(LINK, '  Lane lane = 36;\n', ''),
    edit(LINK, '  int32 attempt = 2;\n  // Starts with', '  Lane lane = 36;\n  int32 attempt = 2;\n  // Starts with'),
  ),
  harmless(
    'reserve numbers that nobody had',
    edit(LINK, DELIVERY, DELIVERY.replace('  string', '  reserved 500 to 510;\n  string')),
  ),
];
