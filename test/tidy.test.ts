import { describe, expect, test } from 'vitest';
import { acrossServices, againstDirection, cycles, orphans } from './tidy/direction.ts';
import { longFiles, oddNames, strayEntries, vagueNames } from './tidy/names.ts';
import { readTree, type SourceFile } from './tidy/source-tree.ts';
import { reasonDefects, rpcDefects } from './tidy/wire.ts';
import {
  assignedFunctions,
  handmadeSubjects,
  lockedRegistry,
  machinePaths,
  openEnds,
  scatteredEnvironment,
  silencedChecks,
  untyped,
} from './tidy/wording.ts';

type Rule = (files: readonly SourceFile[]) => string[];

const tree = readTree();

function file(path: string, text = ''): SourceFile {
  return { path, text };
}

/** Each rule holds for the tree, finds every one of 'bad', and leaves all of 'good' alone. */
function rule(
  name: string,
  check: Rule,
  samples: { readonly bad: readonly SourceFile[][]; readonly good: readonly SourceFile[][] },
): void {
  describe(name, () => {
    test('holds', () => {
      expect(check(tree)).toEqual([]);
    });
    test.each(samples.bad.map((files) => ({ files, name: files.at(-1)?.path ?? '' })))('finds $name', ({ files }) => {
      expect(check(files)).not.toEqual([]);
    });
    test.each(samples.good.map((files) => ({ files, name: files.at(-1)?.path ?? '' })))('allows $name', ({ files }) => {
      expect(check(files)).toEqual([]);
    });
  });
}

function importing(path: string, target: string, how = 'import { x } from'): SourceFile[] {
  return [file(path, `${how} '${target}';\n`)];
}

test('the tree is read as a whole', () => {
  const paths = new Set(tree.map(({ path }) => path));
  expect(paths).toContain('services/platform/environment.ts');
  expect(paths).toContain('proto/strategos/errors/v1/error_reason.proto');
  expect(paths).toContain('package-lock.json');
  expect(tree.length).toBeGreaterThan(300);
});

rule('layers look one way', againstDirection, {
  bad: [
    importing('services/command/domain/a.ts', 'pg'),
    importing('services/command/domain/a.ts', '@connectrpc/connect', 'import type { Code } from'),
    importing('services/command/domain/a.ts', '../../../proto/gen/x_pb.js'),
    importing('services/command/domain/a.ts', '../store/b.ts'),
    importing('services/command/domain/a.ts', '../../platform/config.ts'),
    importing('services/command/domain/a.ts', '../../gateway/domain/b.ts'),
    importing('services/command/handlers/a.ts', '../store/b.ts', 'export * from'),
    importing('services/command/store/a.ts', '../../../proto/gen/x_pb.js', 'import type { X } from'),
    importing('services/command/store/a.ts', '../delivery/b.ts'),
    importing('services/platform/a.ts', '../command/domain/b.ts'),
    importing('services/platform/grpc/a.ts', '../../../test/harness/b.ts'),
    importing('services/command/link/a.ts', '../service.ts'),
    importing('services/command/link/a.ts', '../../../test/harness/b.ts'),
    importing('services/console/parts/a.tsx', 'node:fs'),
    importing('services/console/parts/a.tsx', '../../platform/errors.ts'),
    importing('deploy/local/a.ts', '../../services/command/service.ts'),
    importing('contracts/consumers/a.ts', '../providers/b.ts'),
    importing('contracts/consumers/a.ts', '../../services/command/link/session.ts'),
    [file('services/command/domain/a.ts', "const { Pool } = await import('pg');\n")],
  ],
  good: [
    importing('services/command/domain/a.ts', './b.ts'),
    importing('services/command/domain/a.ts', '../../platform/errors.ts'),
    importing('services/command/domain/a.ts', 'node:crypto'),
    importing('services/command/domain/a.test.ts', '../../../test/harness/b.ts'),
    importing('services/command/handlers/a.ts', '../domain/b.ts'),
    importing('services/command/store/a.ts', 'pg'),
    importing('services/command/main.ts', './service.ts'),
    importing('services/platform/grpc/a.ts', '@grpc/grpc-js'),
    importing('services/console/parts/a.tsx', '../../../proto/gen/x_pb.js'),
    importing('services/console/build.ts', 'node:fs/promises'),
    importing('deploy/local/a.ts', '../../services/platform/lifecycle.ts'),
  ],
});

rule('services know each other only through generated clients', acrossServices, {
  bad: [
    importing('services/command/link/a.ts', '../../executor/stream/b.ts'),
    importing('services/command/link/a.test.ts', '../../gateway/store/b.ts'),
    importing('services/cli/a.ts', '../gateway/service.ts', 'import type { X } from'),
  ],
  good: [
    importing('services/cli/a.ts', '../gateway/recover-token.ts'),
    importing('services/command/a.ts', '../platform/clock.ts'),
    importing('test/harness/a.ts', '../../services/executor/agent.ts'),
  ],
});

rule('no circle of imports', cycles, {
  bad: [
    [
      ...importing('services/a/x.ts', './y.ts'),
      ...importing('services/a/y.ts', './z.ts'),
      ...importing('services/a/z.ts', './x.ts'),
    ],
    importing('services/a/x.ts', './x.ts'),
    [...importing('services/a/x.ts', './y.ts'), ...importing('services/a/y.ts', './x.ts', 'import type { T } from')],
  ],
  good: [
    [
      ...importing('services/a/x.ts', './y.ts'),
      ...importing('services/a/x.ts', './z.ts'),
      ...importing('services/a/y.ts', './z.ts'),
    ],
  ],
});

rule('what ships is used', orphans, {
  bad: [
    [file('services/command/link/left-over.ts')],
    [file('services/command/link/a.ts'), ...importing('services/command/link/a.test.ts', './a.ts')],
  ],
  good: [
    [file('services/command/main.ts', "import { a } from './a.ts';\n"), file('services/command/a.ts')],
    [file('services/command/main.ts', "const { a } = await import('./a.ts');\n"), file('services/command/a.ts')],
  ],
});

rule('the environment is read in one place', scatteredEnvironment, {
  bad: [
    [file('services/command/a.ts', 'const a = process.env.HOME;')],
    [file('test/bench/a.ts', "if (process.env['X']) run();")],
  ],
  good: [
    [file('services/platform/environment.ts', 'return { ...process.env };')],
    [file('services/command/a.ts', '/** Nothing else reads process.env. */')],
  ],
});

rule('files are named in kebab-case', oddNames, {
  bad: [
    [file('services/command/domain/dispatchQueue.ts')],
    [file('services/Command/a.ts')],
    [file('deploy/my_file.yaml')],
  ],
  good: [
    [file('services/command/domain/dispatch-queue.test.ts')],
    [file('services/command/migrations/000001_command.sql')],
    [file('proto/strategos/errors/v1/error_reason.proto')],
    [file('.ci/run')],
    [file('ARCHITECTURE.md')],
  ],
});

rule('names say what is inside', vagueNames, {
  bad: [[file('services/command/utils/time.ts')], [file('test/helpers/a.ts')], [file('services/command/helpers.ts')]],
  good: [[file('services/command/domain/kind.ts')], [file('services/executor/execution/after-commit.ts')]],
});

rule('files stay small', longFiles, {
  bad: [[file('services/command/a.ts', 'x\n'.repeat(401))], [file('services/command/main.ts', 'x\n'.repeat(41))]],
  good: [[file('services/command/a.ts', 'x\n'.repeat(400))], [file('services/command/main.ts', 'x\n'.repeat(40))]],
});

rule('nothing grows at the top', strayEntries, {
  bad: [[file('notes.md')], [file('scripts/run.sh')], [file('src/index.ts')]],
  good: [[file('README.md')], [file('services/command/main.ts')], [file('.ci/run')]],
});

rule('the lockfile names no registry', lockedRegistry, {
  bad: [[file('package-lock.json', '      "resolved": "https://registry.example/x.tgz",\n')]],
  good: [[file('package-lock.json', '      "integrity": "sha512-x"\n')]],
});

rule('no path of one machine', machinePaths, {
  bad: [
    [file('README.md', `see ${process.cwd()}/x`)],
    [file('README.md', `see ${['', 'work', 'x'].join('/')}`)],
    [file('deploy/a.ts', ['', 'root', '.config', 'x'].join('/'))],
  ],
  good: [[file('README.md', ['services/executor/frame', 'work', 'x'].join('/'))]],
});

rule('nothing is left open', openEnds, {
  bad: [[file('services/command/a.ts', '// TODO later')], [file('deploy/a.yaml', '# FIXME')]],
  good: [[file('services/command/a.ts', '// todo lists are a domain of others')]],
});

rule('no check is silenced', silencedChecks, {
  bad: [[file('services/command/a.ts', '// oxlint-disable-next-line')], [file('test/a.ts', '// @ts-expect-error')]],
  good: [[file('proto/gen/a_pb.js', '/* eslint-disable */')]],
});

rule('everything has a type', untyped, {
  bad: [
    [file('services/command/a.ts', 'function f(x: any): void {}')],
    [file('services/command/a.ts', 'const x = y as any;')],
    [file('services/console/a.tsx', 'const x = y as any;')],
    [file('services/command/a.ts', 'const x: Map<string, any> = new Map();')],
  ],
  good: [[file('services/command/a.ts', '// any: it does not matter which\nconst anyone: string[] = [];')]],
});

rule('functions that are kept are named first', assignedFunctions, {
  bad: [
    [file('services/command/link/a.ts', '    this.#leave = () => iterator.return?.();\n')],
    [file('services/command/link/b.ts', '  call.end = (status: Status): void => {\n')],
    [file('services/platform/c.ts', '    this.room ??= async (left) => {\n')],
    [file('services/platform/d.ts', '    socket.end = function (this: Socket) {\n')],
    [file('services/platform/e.ts', '  readonly #tell = (): void => this.say();\n')],
  ],
  good: [
    [file('services/command/link/a.ts', '    const leave = () => iterator.return?.();\n    this.#leave = leave;\n')],
    [file('services/command/link/b.ts', '    this.#rows = rows.map((row) => row.id);\n')],
    [file('services/command/c.ts', '  #tell: () => void = () => undefined;\n')],
    [file('services/platform/d.test.ts', '    this.room = () => undefined;\n')],
  ],
});

rule('NATS subjects come from one place', handmadeSubjects, {
  bad: [
    [file('services/command/a.ts', "const s = 'strategos.wake.' + id;")],
    [file('services/command/a.ts', "nats.publish('somebody.else');")],
  ],
  good: [
    [file('services/command/a.ts', 'nats.publish(executorWakeSubject(id));')],
    [file('services/command/a.ts', "import '../../proto/gen/strategos/command/v1/kind_pb.js';")],
  ],
});

const VOCABULARY = file(
  'proto/strategos/errors/v1/error_reason.proto',
  'enum ErrorReason {\n  ERROR_REASON_UNSPECIFIED = 0;\n  // It did.\n  ERROR_REASON_BROKEN = 1;\n}\n',
);
const GIVES_IT = file('services/command/a.ts', "throw new StatusError('Internal', 'BROKEN', 'x');");

rule('one vocabulary of reasons', reasonDefects, {
  bad: [
    [VOCABULARY],
    [VOCABULARY, GIVES_IT, file('services/command/b.ts', "const error = { reason: 'BENT', message: 'x' };")],
    [file(VOCABULARY.path, 'enum ErrorReason {\n  ERROR_REASON_BROKEN = 1;\n}\n'), GIVES_IT],
  ],
  good: [[VOCABULARY, GIVES_IT]],
});

const SERVICE = `service CommandService {
  // Does it.
  rpc DoIt(DoItRequest) returns (DoItResponse) {
    option (strategos.access.v1.required_role) = ROLE_OPERATOR;
  }
}
`;
const FOR_ONE_SIDE = `// RPCs without a role are for the session
// service alone.
service EvaluatorService {
  // DoIt does it.
  rpc DoIt(DoItRequest) returns (DoItResponse);
}
`;
const PROTO = 'proto/strategos/command/v1/command_service.proto';

rule('every RPC has its contract and its handler file', rpcDefects, {
  bad: [
    [file(PROTO, SERVICE)],
    [file(PROTO, SERVICE.replace('  // Does it.\n', '')), file('services/command/handlers/do-it.ts')],
    [file(PROTO, SERVICE.replace('CommandService', 'UnknownService')), file('services/command/handlers/do-it.ts')],
    [file(PROTO, SERVICE.replace(/option.*;/, '')), file('services/command/handlers/do-it.ts')],
    [file(PROTO, SERVICE.replace('DoIt(', 'GetIt(')), file('services/command/handlers/get-it.ts')],
  ],
  good: [
    [file(PROTO, SERVICE), file('services/command/handlers/do-it.ts')],
    [file(PROTO, FOR_ONE_SIDE), file('services/evaluator/handlers/do-it.ts')],
  ],
});
