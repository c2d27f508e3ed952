import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { WATCHED } from '../consumers/console-command-calls.ts';
import { isObject } from '../golden/frame.ts';
import type { Answer } from '../providers/door-proxy.ts';
import { documentOf } from '../schema/json.ts';
import { type Alter, renamed, set, without } from './alter.ts';
import type { Mutation } from './mutation.ts';

/** Alters whatever stands at a path; of lists, each element. */
function at(path: readonly string[], alter: Alter): Alter {
  const [key, ...rest] = path;
  if (key === undefined) return alter;
  return (json) => {
    const inner: JsonValue | undefined = json[key];
    for (const each of Array.isArray(inner) ? inner : [inner ?? null]) if (isObject(each)) at(rest, alter)(each);
  };
}

function altered(answer: Answer, alter: Alter): Answer {
  const json = documentOf<JsonObject>(answer.body);
  alter(json);
  return { ...answer, body: JSON.stringify(json) };
}

/** Alters what is answered when all is well. */
function answered(name: string, call: string, alter: Alter, breaks = true): Mutation {
  const answer = (given: Answer, path: string): Answer =>
    given.status === 200 && path.endsWith(`/${call}`) ? altered(given, alter) : given;
  return { name, breaks, call, door: { answer } };
}

/** Alters what is answered when a call is refused. */
function refused(name: string, call: string, change: (answer: Answer) => Answer, breaks = true): Mutation {
  const answer = (given: Answer, path: string): Answer =>
    given.status !== 200 && path.endsWith(`/${call}`) ? change(given) : given;
  return { name, breaks, call, door: { answer } };
}

/** Alters what a stream says. */
function watched(name: string, call: string, alter: Alter, breaks = true): Mutation {
  const said = (message: JsonObject): JsonObject => {
    alter(message);
    return message;
  };
  return { name, breaks, call, door: { said } };
}

/** Where a refusal says in words what the bytes of its details say. */
const DETAILS = ['details', 'debug'];

/** Changes of what the gateway answers to consoles. */
export const CONSOLE_MUTATIONS: readonly Mutation[] = [
  answered('say who is signed in without the role', 'WhoAmI', at(['token'], without('role'))),
  answered('call roles otherwise', 'WhoAmI', at(['token'], set('role', 'ROLE_OWNER'))),
  refused('know a wrong token by another code', 'WhoAmI', (given) => altered(given, set('code', 'permission_denied'))),
  answered('list commands without their states', 'ListCommands', at(['commands'], without('state'))),
  answered('send `failure` for the error of a command', 'ListCommands', at(['commands'], renamed('error', 'failure'))),
  answered('list commands without what they are', 'ListCommands', at(['commands'], without('ping'))),
  answered('explain a command without a sentence', 'ExplainCommand', without('sentence')),
  answered('explain a command without its steps', 'ExplainCommand', without('timeline')),
  answered('send steps without their cause', 'ExplainCommand', at(['timeline'], without('cause'))),
  answered('send deadlines without the last one', 'ExplainCommand', at(['command', 'deadlines'], without('finishBy'))),
  answered('accept a command without saying its id', 'IssueCommand', at(['command'], without('id'))),
  answered('cancel a command without saying whether', 'CancelCommand', without('cancelled')),
  answered('send a command again without saying its id', 'RetryCommand', at(['command'], without('id'))),
  answered('give figures without their percentiles', 'GetCommandStats', at(['acceptedToFinished'], without('p95Ms'))),
  answered('give rates as texts', 'GetCommandStats', set('successRate', '100 %')),
  refused('refuse a command without naming the field', 'IssueCommand', (given) =>
    altered(given, at([...DETAILS, 'fieldViolations'], without('field'))),
  ),
  refused('refuse who may only look as if nobody knew them', 'IssueCommand', (given) =>
    given.status === 403 ? altered({ ...given, status: 401 }, set('code', 'unauthenticated')) : given,
  ),
  refused('refuse who may only look without a reason', 'IssueCommand', (given) =>
    given.status === 403 ? altered(given, without('details')) : given,
  ),
  answered('offer executors without their names', 'ListExecutors', at(['executors'], without('name'))),
  answered('create an executor without its secret', 'CreateExecutor', at(['credentials'], without('secret'))),
  refused('give another reason for a name that is taken', 'CreateExecutor', (given) =>
    altered(given, at(DETAILS, set('reason', 'INVALID_FIELD'))),
  ),
  answered('renew a credential without its key', 'RotateCredentials', at(['credentials'], without('keyId'))),
  {
    name: 'serve the disabling of executors elsewhere',
    breaks: true,
    call: 'DisableExecutor',
    door: { path: (path) => path.replace('DisableExecutor', 'Disable') },
  },
  answered('list strategies without their revisions', 'ListStrategies', at(['strategies'], without('revision'))),
  answered('send a strategy without its JSON form', 'GetStrategy', at(['strategy'], without('json'))),
  answered('send revisions without their author', 'ListRevisions', at(['revisions'], without('author'))),
  answered('send changes without their path', 'ListRevisions', at(['revisions', 'changes'], without('path'))),
  answered('say of a roll-out no revision', 'GetRollout', without('revision')),
  answered('judge a draft with `errors` for its faults', 'ValidateStrategy', renamed('faults', 'errors')),
  answered('judge a draft without a verdict', 'ValidateStrategy', without('valid')),
  refused('refuse a stale revision with another code', 'UpdateStrategy', (given) =>
    altered({ ...given, status: 400 }, set('code', 'failed_precondition')),
  ),
  answered('list indicators by another name', 'ListIndicators', at(['indicators'], renamed('idPattern', 'pattern'))),
  answered('list sessions without their activations', 'ListSessions', at(['sessions'], without('activations'))),
  answered(
    'say nothing of what a session is missing',
    'GetSession',
    at(['session', 'activations'], without('missing')),
  ),
  refused('refuse to start a session without saying which has failed', 'StartSession', (given) =>
    altered(given, at(DETAILS, without('metadata'))),
  ),
  answered('stop everything without saying who was told', 'StopAll', at(['halt'], without('acknowledgements'))),
  answered('say of a stop not whose it was', 'GetHalt', at(['halt'], without('author'))),
  watched('say of a command on a stream no state', WATCHED.command, at(['command'], without('state'))),
  watched('say no cursor on a stream', WATCHED.command, without('cursor')),
  watched('say of an executor on a stream no name', WATCHED.executor, at(['executor'], without('name'))),
  watched('call states of executors otherwise on a stream', WATCHED.executor, at(['executor'], set('state', 'ONLINE'))),
  watched('say of a session on a stream no reason', WATCHED.session, at(['session'], without('reason'))),
  answered(
    'list commands without what nobody looks at',
    'ListCommands',
    at(['commands'], without('orderingKey', 'lane')),
    false,
  ),
  answered(
    'say more of a strategy',
    'GetStrategy',
    at(['strategy'], (json) => Object.assign(json, { colour: 'blue' })),
    false,
  ),
  refused(
    'say in other words what is wrong with a field',
    'IssueCommand',
    (given) => altered(given, at([...DETAILS, 'fieldViolations'], set('description', 'must be there'))),
    false,
  ),
  watched(
    'say more of an executor on a stream',
    WATCHED.executor,
    at(['executor'], (json) => Object.assign(json, { colour: 'blue' })),
    false,
  ),
];
