import type { TestProject } from 'vitest/node';
import { endLeakedProcesses, startServers, type TestServers } from './servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    servers: TestServers;
  }
}

/** Starts the shared servers before the first file of the run; afterwards stops them and fails on any leaked process. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { servers, running } = await startServers();
  project.provide('servers', servers);
  return async () => {
    const leaked = await endLeakedProcesses(servers.directory);
    await running.stop();
    if (leaked.length > 0) throw new Error(`tests left processes behind, ended now:\n  ${leaked.join('\n  ')}`);
  };
}
