import { isObject } from '../golden/frame.ts';
import type { AlterChange } from '../golden/strategy-changes.ts';
import { type Alter, renamed, without } from './alter.ts';
import { edit, type Mutation, STRATEGY, STRATEGY_SERVICE } from './mutation.ts';

/** Alters the change, whether it is published by itself or stands in what a watcher gets; a checkpoint is left alone. */
function inChange(alter: Alter): AlterChange {
  return (json) => {
    if (isObject(json['change'])) alter(json['change']);
    else if (json['accountId'] !== undefined) alter(json);
    return json;
  };
}

function inStrategy(alter: Alter): AlterChange {
  return inChange(({ strategy }) => {
    if (isObject(strategy)) alter(strategy);
  });
}

function inDefinition(alter: Alter): AlterChange {
  return inStrategy(({ definition }) => {
    if (isObject(definition)) alter(definition);
  });
}

function breaking(name: string, changes: AlterChange): Mutation {
  return { name, breaks: true, changes };
}

function harmless(name: string, changes: AlterChange): Mutation {
  return { name, breaks: false, changes };
}

const REVISION = 'string account_id = 1;\n  // Exactly one above the revision before it.\n  int64 revision = 2;';

/** Changes of what evaluators hear of strategies. */
export const STRATEGY_MUTATIONS: readonly Mutation[] = [
  breaking('publish a change without its revision', inChange(without('revision'))),
  breaking('publish a change without its account', inChange(without('accountId'))),
  breaking('publish a change without its digest', inChange(without('digest'))),
  breaking('publish a change without saying which', inChange(without('type'))),
  breaking('publish a change without its strategy', inChange(without('strategy'))),
  breaking('publish a strategy without its id', inStrategy(without('id'))),
  breaking('publish a strategy without its definition', inStrategy(without('definition'))),
  breaking('publish a definition without its entry', inDefinition(without('z1Entry'))),
  breaking('publish a definition without its limits', inDefinition(without('globalLimits'))),
  breaking('send `payload` for the strategy', inChange(renamed('strategy', 'payload'))),
  breaking('send `definitionJson` for the definition', inStrategy(renamed('definition', 'definitionJson'))),
  breaking(
    'send kinds of change without their prefix',
    inChange((change) => {
      if (typeof change['type'] === 'string') change['type'] = change['type'].replace('CHANGE_TYPE_', '');
    }),
  ),
  breaking(
    'send revisions as texts for people',
    inChange((change) => Object.assign(change, { revision: 'r1' })),
  ),
  breaking('send checkpoints without a digest', (json) =>
    json['change'] === undefined ? (without('digest')(json), json) : json,
  ),
  {
    name: 'rename the revision of a change',
    breaks: true,
    protos: [edit(STRATEGY, REVISION, REVISION.replace('revision = 2', 'number = 2'))],
  },
  {
    name: 'renumber the digest of a change',
    breaks: true,
    protos: [
      edit(
        STRATEGY,
        '  string digest = 5;\n  google.protobuf.Timestamp time = 6;',
        '  string digest = 7;\n  google.protobuf.Timestamp time = 6;',
      ),
    ],
  },
  {
    name: 'rename what a checkpoint tells',
    breaks: true,
    protos: [
      edit(
        STRATEGY_SERVICE,
        '  int64 revision = 2;\n  string digest = 3;\n}\n\n// GetRolloutRequest',
        '  int64 newest = 2;\n  string digest = 3;\n}\n\n// GetRolloutRequest',
      ),
    ],
  },
  {
    name: 'say of a change who made it',
    breaks: false,
    protos: [
      edit(
        STRATEGY,
        '  google.protobuf.Timestamp time = 6;\n}',
        '  google.protobuf.Timestamp time = 6;\n  string author = 90;\n}',
      ),
    ],
  },
  harmless('publish a strategy without its JSON form', inStrategy(without('json'))),
  harmless('publish a change without its time', inChange(without('time'))),
  harmless(
    'say what evaluators do not know',
    inChange((change) => Object.assign(change, { author: 'founder' })),
  ),
];
