import { describe, expect, test } from 'vitest';
import { file_grpc_health_v1_health } from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { file_strategos_command_v1_command } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { file_strategos_command_v1_executor_link_service } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { contractDigest } from './contract-digest.ts';

describe('the contract digest', () => {
  test('is the same for the same files, and another for others', () => {
    const digest = contractDigest(file_strategos_command_v1_executor_link_service);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(contractDigest(file_strategos_command_v1_executor_link_service)).toBe(digest);
    expect(contractDigest(file_strategos_command_v1_command)).not.toBe(digest);
    expect(contractDigest(file_grpc_health_v1_health)).not.toBe(digest);
  });

  test('depends on imported files of the same organisation, and on no others', () => {
    const file = file_strategos_command_v1_executor_link_service;
    const own = file.dependencies.filter((dependency) => dependency.proto.package.startsWith('strategos.'));
    const digest = contractDigest(file);
    expect(own.length).toBeGreaterThan(0);
    expect(contractDigest({ ...file, dependencies: own })).toBe(digest);
    expect(contractDigest({ ...file, dependencies: [] })).not.toBe(digest);
  });
});
