/**
 * Admission: what the real server's built-in plugins change or refuse, in their order. Each plugin is a pair of
 * pure functions over the request and the other objects. Absent: webhooks.
 */
import type { Unstructured } from '#apimachinery/meta';
import type { Rbac } from '../auth/rbac.ts';
import type { Admission, AdmissionRequest, Deps } from '../registry/deps.ts';
import { labelNamespace } from '../strategies/namespace.ts';
import { admitPod, readmitPod } from './pods.ts';
import { allocateService } from './services.ts';
import { protectClaim, protectVolume, setDefaultStorageClass, taintNewNode } from './storage.ts';
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
    if (type.group === '' && type.kind === 'Namespace') labelNamespace(object);
    if (request.operation === 'CREATE') mutateNew(this.#view, request, object);
    else if (type.group === '' && type.kind === 'Pod') readmitPod(request);
  }

  validate(request: AdmissionRequest): void {
    if (request.operation === 'DELETE') checkNamespaceLifecycle(this.#view, request);
    checkEscalation(this.#rbac, request);
    const { type, object, subresource } = request;
    if (object && subresource === '' && type.group === '' && type.kind === 'Service') allocateService(this.#view, request);
  }
}

function mutateNew(view: View, request: AdmissionRequest, object: Unstructured): void {
  if (request.type.group !== '') return;
  switch (request.type.kind) {
    case 'Pod':
      return admitPod(view, request);
    case 'Node':
      return taintNewNode(object);
    case 'PersistentVolumeClaim':
      setDefaultStorageClass(view, object);
      return protectClaim(object);
    case 'PersistentVolume':
      return protectVolume(object);
    default:
  }
}
