import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { contractDigest } from '../../services/platform/grpc/contract-digest.ts';

/** What a home-made peer has to report in its Hello to be taken for an agent of this build. */
export const OWN_DIGEST: string = contractDigest(ExecutorLinkService.file);
