/** Metadata keys that the gateway sets after it has checked a token, and that services trust on their internal port only. */
export const ACCOUNT_HEADER = 'strategos-account';
export const ROLE_HEADER = 'strategos-role';
export const SUBJECT_HEADER = 'strategos-subject';
/** Proves to a service that the caller is another service of this platform. */
export const INTERNAL_TOKEN_HEADER = 'strategos-internal-token';
/** Follows a call through every service and into every log line and INTERNAL error. */
export const REQUEST_ID_HEADER = 'x-request-id';
