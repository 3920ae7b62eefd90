/** `componentstatuses`, deprecated but still asked for by `kubectl get cs`: everything lives in this process. */
import { notFound } from '../errors.ts';
import type { ApiResponse } from '../http/types.ts';
import type { Call } from './call.ts';
import { objectListResponse, objectResponse } from './respond.ts';

const COMPONENTS = ['controller-manager', 'etcd-0', 'scheduler'];

export function componentStatuses(call: Call): ApiResponse {
  const { info, type, deps } = call;
  call.warnings.push('v1 ComponentStatus is deprecated in v1.19+');
  const status = (name: string) => ({ kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] });
  if (!info.name) return objectListResponse(call, COMPONENTS.map(status), String(deps.storage.revision));
  if (!COMPONENTS.includes(info.name)) throw notFound(type, info.name);
  return objectResponse(call, status(info.name));
}
