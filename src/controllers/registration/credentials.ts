/** Tokens of service accounts, and the owner references that let Kubernetes clean up after us. */
import { serviceAccounts } from '#api/builtin';
import type { KubeObject, ObjectKey, OwnerReference } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { FLEET_API_VERSION } from '#api/fleet';
import type { LeaderClient } from '#kube/leaderelection';

interface TokenRequest extends KubeObject {
  spec: { expirationSeconds: number; audiences?: string[] };
  status?: { token?: string; expirationTimestamp?: string };
}

export interface IssuedToken {
  token: string;
  /** Wall time; as the server says, which may be earlier than was asked for. */
  expiresMs: number;
}

/** A bearer token for a service account, asked for `lifeSeconds` (at least 600; the server may give less). */
export async function issueToken(client: LeaderClient, account: ObjectKey, lifeSeconds: number): Promise<IssuedToken> {
  const request: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { ...account },
    spec: { expirationSeconds: lifeSeconds },
  };
  const answer = await client.create(serviceAccounts as unknown as Resource<TokenRequest>, request, { subresource: 'token' });
  const token = answer.status?.token;
  if (!token) throw new Error(`ServiceAccount/${account.namespace}/${account.name}: the API server issued no token`);
  return { token, expiresMs: Date.parse(answer.status?.expirationTimestamp ?? '') };
}

/** The owner references of an object that goes with a Fleet object. */
export function ownedBy(owner: KubeObject, kind: string): OwnerReference[] {
  return [{ apiVersion: FLEET_API_VERSION, kind, name: owner.metadata.name ?? '', uid: owner.metadata.uid ?? '', controller: true, blockOwnerDeletion: true }];
}
