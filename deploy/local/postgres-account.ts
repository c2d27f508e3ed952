import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../services/platform/errors.ts';

const run = promisify(execFile);

const USER_NAME = 'postgres';
/** The tools that manage users, wherever the caller's PATH points. */
const SYSTEM_TOOLS = { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } };

/** The user that Postgres runs as: undefined fields mean the user of this process. */
export interface PostgresAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Postgres refuses to run as root. For root this is the system's `postgres` user, made when it is missing; anybody else
 * runs it as themselves, which is undefined here.
 * @throws Error when the user is missing and cannot be made.
 */
export async function postgresAccount(): Promise<PostgresAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await lookUp();
  if (existing !== undefined) return existing;
  await createPostgresUser();
  const created = await lookUp();
  if (created === undefined) throw new Error(`the user "${USER_NAME}" was made and still cannot be found`);
  return created;
}

/**
 * Whether the account can run `program` with `args`, wherever it lies: the truth about modes, owners, ACLs and mounts on
 * the way there.
 */
export async function canRun(
  account: PostgresAccount | undefined,
  program: string,
  args: readonly string[],
): Promise<boolean> {
  try {
    await run(program, [...args], {
      ...account,
      cwd: '/',
      timeout: 10_000,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    return true;
  } catch (thrown) {
    if (thrown instanceof Error) return false;
    throw thrown;
  }
}

/** Whether the account can enter the directory. */
export function canEnter(account: PostgresAccount | undefined, directory: string): Promise<boolean> {
  return canRun(account, '/bin/sh', ['-c', 'cd "$1"', 'sh', directory]);
}

async function lookUp(): Promise<PostgresAccount | undefined> {
  try {
    const [uid, gid] = await Promise.all([
      run('id', ['-u', USER_NAME], SYSTEM_TOOLS),
      run('id', ['-g', USER_NAME], SYSTEM_TOOLS),
    ]);
    return { uid: Number.parseInt(uid.stdout, 10), gid: Number.parseInt(gid.stdout, 10) };
  } catch (thrown) {
    // id answers 1 for an unknown user.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 1) return undefined;
    throw thrown;
  }
}

async function createPostgresUser(): Promise<void> {
  try {
    await run('groupadd', ['--system', '--force', USER_NAME], SYSTEM_TOOLS);
    const flags = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
    await run('useradd', ['--system', '--gid', USER_NAME, ...flags, USER_NAME], SYSTEM_TOOLS);
  } catch (thrown) {
    throw new Error(
      `PostgreSQL cannot run as root and the user "${USER_NAME}" could not be made (${messageOf(thrown)}); make it, or start as another user`,
      { cause: thrown },
    );
  }
}
