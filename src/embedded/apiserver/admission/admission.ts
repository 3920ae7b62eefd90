/**
 * Admission: what the real server's built-in plugins change or refuse, in their order. Each plugin is a pair of
 * pure functions over the request and the other objects. Absent: webhooks.
 */
import type { Rbac } from '../auth/rbac.ts';
import type { Admission, AdmissionRequest, Deps } from '../registry/deps.ts';
import { labelNamespace } from '../strategies/namespace.ts';
import { checkEscalation } from './rbac-escalation.ts';
import { checkNamespaceLifecycle } from './namespace-lifecycle.ts';

export type View = Pick<Deps, 'storage' | 'resources' | 'random' | 'clock'>;

export class AdmissionChain implements Admission {
  readonly #view: View;

  readonly #rbac: Rbac;

  constructor(view: View, rbac: Rbac) {
    this.#view = view;
    this.#rbac = rbac;
  }

  mutate(request: AdmissionRequest): void {
    const { type, object, subresource } = request;
    checkNamespaceLifecycle(this.#view, request);
    if (!object || subresource !== '') return;
    if (type.plural === 'namespaces' && type.group === '') labelNamespace(object);
  }

  validate(request: AdmissionRequest): void {
    if (request.operation === 'DELETE') checkNamespaceLifecycle(this.#view, request);
    checkEscalation(this.#rbac, request);
  }
}
