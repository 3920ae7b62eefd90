/** Who makes a request, as authentication found out and impersonation may have changed. */
export interface UserInfo {
  name: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
/** What the server itself writes as; allowed everything. */
export const LOOPBACK: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
