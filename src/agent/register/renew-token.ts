/**
 * The agent's credentials upstream are a bound token with an end. The leading replica asks for a new one
 * when two thirds of its life have passed and keeps it in the shared Secret; all replicas read it from there.
 */
import { secrets, serviceAccounts } from '#api/builtin';
import type { KubeObject } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import { type Clock, sleep } from '#base/clock';
import { base64Decode, base64Encode, utf8Text } from '#base/hash';
import { errorText, type Log } from '#base/log';
import type { LeaderClient } from '#kube/leaderelection';
import { AGENT_SECRET, type Registration } from './registration.ts';

const LIMITS = {
  lifeSeconds: 30 * 24 * 3600,
  renewAtShare: 2 / 3,
  /** Between two attempts. */
  pauseMs: 60_000,
  /** The longest wait; timers of Node end at 24 days, and the registration may change meanwhile. */
  waitMsMax: 24 * 3600_000,
};

interface TokenRequest extends KubeObject {
  spec: { expirationSeconds: number };
  status?: { token?: string };
}

export interface RenewDependencies {
  namespace: string;
  registration(): Registration;
  upstream: LeaderClient;
  downstream: LeaderClient;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** Runs until the signal aborts. */
export async function renewTokens(deps: RenewDependencies): Promise<void> {
  while (!deps.signal.aborted) {
    const { token, accountName } = deps.registration();
    const dueMs = (accountName ? renewalDueMs(token) : Number.POSITIVE_INFINITY) - deps.clock.wallMs();
    if (dueMs > 0) {
      await sleep(deps.clock, Math.min(dueMs, LIMITS.waitMsMax), deps.signal);
      continue;
    }
    await renew(deps).catch((error: unknown) => deps.log.warn('token not renewed', { error: errorText(error) }));
    // Also after a success: the registration follows the Secret, and our clock may be far ahead of the server's.
    await sleep(deps.clock, LIMITS.pauseMs, deps.signal);
  }
}

async function renew({ namespace, registration, upstream, downstream }: RenewDependencies): Promise<void> {
  const { deploymentNamespace, accountName } = registration();
  const request: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { namespace: deploymentNamespace, name: accountName },
    spec: { expirationSeconds: LIMITS.lifeSeconds },
  };
  const answer = await upstream.create(serviceAccounts as unknown as Resource<TokenRequest>, request, { subresource: 'token' });
  const token = answer.status?.token;
  if (!token) throw new Error(`ServiceAccount/${deploymentNamespace}/${accountName}: the API server issued no token`);
  await downstream.patch(secrets, { namespace, name: AGENT_SECRET }, { type: 'merge', body: { data: { token: base64Encode(token) } } });
}

/** Wall time at which a token should be renewed; never for one whose end cannot be read (an older manager's). */
export function renewalDueMs(token: string): number {
  const { iat, exp } = claimsOf(token);
  if (iat === undefined || exp === undefined) return Number.POSITIVE_INFINITY;
  return (iat + (exp - iat) * LIMITS.renewAtShare) * 1000;
}

function claimsOf(token: string): { iat?: number; exp?: number } {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(utf8Text(base64Decode(payload))) as { iat?: number; exp?: number };
  } catch {
    return {};
  }
}
