/**
 * Before an agent can work it must be registered. All replicas run this phase: the leader registers, the
 * others wait until the credentials are in the shared Secret. Then each goes on to the work itself.
 */
import { randomBytes } from 'node:crypto';
import { type Secret, secrets } from '#api/builtin';
import { systemClock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { AGENT_SECRET, BOOTSTRAP_SECRET, parseRegistration, register, type Registration } from '#agent/register';
import { isNotFound } from '#apimachinery/status';
import type { Client } from '#kube/client';
import type { Manager } from '#kube/manager';
import { connect } from '../adapters/connection.ts';

export interface PhaseOptions {
  namespace: string;
  downstream: Client;
  log: Log;
  signal: AbortSignal;
  /** A manager that has not been started. */
  createManager(): Manager<'downstream'>;
}

/** The registration of this cluster, made now when there is none (or when a bootstrap Secret asks for a new one). */
export async function ensureRegistration(options: PhaseOptions): Promise<Registration> {
  const known = await readRegistration(options);
  if (known) return known;
  const phase = new AbortController();
  const stop = () => phase.abort(options.signal.reason as Error);
  options.signal.addEventListener('abort', stop, { once: true });
  const manager = options.createManager();
  const { promise: found, resolve } = Promise.withResolvers<Registration>();
  watchForRegistration(manager, options, resolve);
  manager.onTerm(
    'registration',
    async (term, { downstream }) => {
      // A predecessor may have registered between our last look and our term.
      const existing = await readRegistration(options);
      resolve(existing ?? (await register({ namespace: options.namespace, downstream, clock: systemClock, log: options.log, signal: term.signal, secretText: () => randomBytes(32).toString('hex'), connectUpstream })));
    },
    { beforeBarrier: true },
  );
  const running = manager.start(phase.signal);
  try {
    // The manager ends only with the signal; its failure is ours.
    const registration = await Promise.race([found, running.then(() => undefined)]);
    if (!registration) throw options.signal.reason as Error;
    return registration;
  } finally {
    options.signal.removeEventListener('abort', stop);
    phase.abort(new Error('registered'));
    await running.catch((error: unknown) => options.log.warn('registration phase ended badly', { error: errorText(error) }));
  }
}

function connectUpstream({ apiServerURL, apiServerCA, token }: { apiServerURL: string; apiServerCA: string; token: string }): Client {
  return connect({ server: apiServerURL, ...(apiServerCA ? { ca: apiServerCA } : {}), auth: { kind: 'token', token } }, 'fleet-agent');
}

/** A bootstrap Secret means that the manager wants a new registration, whatever we have. */
async function readRegistration({ downstream, namespace }: PhaseOptions): Promise<Registration | undefined> {
  const read = (name: string): Promise<Secret | undefined> =>
    downstream.get(secrets, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (await read(BOOTSTRAP_SECRET)) return undefined;
  return parseRegistration(await read(AGENT_SECRET));
}

function watchForRegistration(manager: Manager<'downstream'>, options: PhaseOptions, resolve: (registration: Registration) => void): void {
  const look = () => {
    readRegistration(options).then(
      (registration) => {
        if (registration) resolve(registration);
      },
      (error: unknown) => options.log.warn('registration cannot be read', { error: errorText(error) }),
    );
  };
  for (const name of [AGENT_SECRET, BOOTSTRAP_SECRET]) {
    manager.informer('downstream', { resource: secrets, namespace: options.namespace, fieldSelector: `metadata.name=${name}` }).addHandler({ onAdd: look, onUpdate: look, onDelete: look });
  }
}
