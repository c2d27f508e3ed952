/** Server settings that differ between an operator's machine and a test run. */
export interface PostgresSettings {
  readonly sharedBuffersMb?: number;
  readonly connectionsMax?: number;
  /**
   * Default true. Without it what was committed outlives the server, however that ends, but not the machine: commits still
   * reach the operating system before they are answered.
   */
  readonly outlivesMachine?: boolean;
}

/**
 * Settings for a machine of two cores that runs the whole platform: every commit is on disk before it is answered, and
 * checkpoints are spread out. Parallel queries are off: they would take the services' cores, and shared memory that
 * containers rarely have. Pages in the log are not compressed: the packaged server has the slow algorithm alone, and under
 * load that took a tenth of both cores after a checkpoint, to log a seventh less.
 */
export function settingFlags({
  sharedBuffersMb = 256,
  connectionsMax = 100,
  outlivesMachine = true,
}: PostgresSettings): readonly string[] {
  const settings: Readonly<Record<string, string>> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(connectionsMax),
    shared_buffers: `${sharedBuffersMb}MB`,
    effective_cache_size: '1GB',
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    fsync: outlivesMachine ? 'on' : 'off',
    synchronous_commit: 'on',
    min_wal_size: '256MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',
    random_page_cost: '1.1',
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    autovacuum_naptime: '10s',
    password_encryption: 'scram-sha-256',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m [%p] %q%a ',
    log_checkpoints: 'off',
    lc_messages: 'C',
    timezone: 'UTC',
    cluster_name: 'strategos',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
