/** What every verb of the registry works with; one value per server. */
import type { Clock } from '#base/clock';
import type { Random } from '#base/random';
import type { Unstructured } from '#apimachinery/meta';
import type { Storage } from '#embedded/storage';
import type { ServiceAccountTokens } from '../auth/serviceaccount.ts';
import type { UserInfo } from '../auth/user.ts';
import type { PodRuntime } from '../endpoints/logs.ts';
import type { ResourceTable } from './table.ts';
import type { ResourceType } from './types.ts';

export interface Deps {
  storage: Storage;
  clock: Clock;
  random: Random;
  newUid: () => string;
  resources: ResourceTable;
  admission: Admission;
  services: Services;
}

/** Parts of the server that some subresources need. */
export interface Services {
  tokens: ServiceAccountTokens;
  /** Where pods run, when there are nodes. */
  podRuntime: () => PodRuntime | undefined;
}

/** What admission sees. `object` may be changed; it is absent for deletes. */
export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  type: ResourceType;
  subresource: string;
  namespace: string;
  name: string;
  object: Unstructured | undefined;
  old: Unstructured | undefined;
  user: UserInfo;
  dryRun: boolean;
}

/** Defaults and refusals that look at other objects than the one at hand. Throws StatusErrors. */
export interface Admission {
  mutate(request: AdmissionRequest): void;
  validate(request: AdmissionRequest): void;
}

export interface ObjectRef {
  namespace: string;
  name: string;
}

/** The storage key of an object. */
export function storageKey(type: Pick<ResourceType, 'namespaced'>, { namespace, name }: ObjectRef): string {
  return type.namespaced ? `${namespace}/${name}` : name;
}
