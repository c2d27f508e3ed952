import type { TestProject } from 'vitest/node';
import { builtPrograms } from './build-programs.ts';
import { PROGRAMS_VARIABLE } from './programs.ts';
import { endLeakedProcesses, startServers, type TestServers } from './servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    servers: TestServers;
  }
}

/** Starts the shared servers before the first file of the run; afterwards stops them and fails on any leaked process. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // What is edited while vitest watches is to be what runs next.
  const programs = project.vitest.config.watch ? undefined : await builtPrograms();
  if (programs !== undefined) project.config.env = { ...project.config.env, [PROGRAMS_VARIABLE]: programs };
  const { servers, running } = await startServers();
  project.provide('servers', servers);
  return async () => {
    const leaked = await endLeakedProcesses(servers.directory);
    await running.stop();
    if (leaked.length > 0) throw new Error(`tests left processes behind, ended now:\n  ${leaked.join('\n  ')}`);
  };
}
