#!/usr/bin/env node
// The one file of the project that older Nodes read: it runs the program under Node 24, which npm ci has put beside it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_POLL_MS = 250;
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

if (process.env.npm_execpath !== undefined) endWithParent();
if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  silenceExperimentalWarnings();
  await runHere();
} else {
  runUnderPinnedNode();
}

async function runHere() {
  if (!existsSync(join(root, 'node_modules', 'commander'))) fail('the dependencies are not installed; run npm ci');
  keepCompiledCode();
  // A parent that gave us a channel is the file above us under an older Node: we end when it does.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(process.argv);
}

/**
 * Half of a start is compiling: from the second on, this process and those that it starts find the result beside the
 * dependencies. Node compares every source with what the result was made from, and does without where nothing can be written.
 */
function keepCompiledCode() {
  process.env.NODE_COMPILE_CACHE ||= join(root, 'node_modules', '.cache', 'strategos');
  module.enableCompileCache();
}

function runUnderPinnedNode() {
  const node = pinnedNode();
  if (node === undefined) {
    fail(
      `this needs Node ${NODE_MAJOR_MIN} or newer (this is ${process.versions.node}) and none is pinned below ${join(root, 'node_modules')}; run npm ci`,
    );
  }
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 1 : constants.signals[signal]);
  });
}

/**
 * npm starts us through a shell that dies of a signal without passing it on, or outlives npm; without this, stopping
 * `npm start` would leave the whole platform running.
 */
function endWithParent() {
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_POLL_MS);
  timer.unref();
}

/** Parent and, where the system tells, grandparent. */
function ancestors() {
  const parent = process.ppid;
  try {
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8');
    return `${parent} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`;
  } catch {
    // No /proc on this system, or the parent has gone, which its number will tell.
    return String(process.ppid);
  }
}

/** @returns {string | undefined} */
function pinnedNode() {
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  // Apple's machines with arm64 run the x64 build.
  const architectures = process.platform === 'darwin' ? [process.arch, 'x64'] : [process.arch];
  const os = process.platform === 'win32' ? 'win' : process.platform;
  return architectures
    .map((arch) => join(root, 'node_modules', `node-${os}-${arch}`, 'bin', program))
    .find((path) => existsSync(path));
}

/** The features behind them are pinned with this Node; the warnings tell a user of the program nothing. */
function silenceExperimentalWarnings() {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}

/** @param {string} sentence @returns {never} */
function fail(sentence) {
  process.stderr.write(`strategos: ${sentence}\n`);
  process.exit(1);
}
