/**
 * Create. Steps: 1. name and namespace agree with the URL; 2. admission changes the object; 3. the server's
 * own metadata; 4. strategy; 5. validation; 6. admission judges; 7. storage, trying other generated names
 * when one is taken. Rule: k8s.io/apiserver `registry/rest/create.go` and `generic/registry/store.go`.
 */
import { nameSuffix } from '#base/random';
import { rfc3339 } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import { GuardError } from '#embedded/storage';
import { alreadyExists, badRequest, internalError, invalid, plainError } from '../errors.ts';
import type { UserInfo } from '../auth/user.ts';
import { attributesOfObject, encodeObject } from './codec.ts';
import { storageKey, type AdmissionRequest, type Deps } from './deps.ts';
import { trackManager, type Manager } from './managers.ts';
import type { ResourceType, WriteContext } from './types.ts';

export interface CreateRequest {
  type: ResourceType;
  namespace: string;
  object: Unstructured;
  user: UserInfo;
  manager: Manager;
  dryRun: boolean;
}

const GENERATED_NAME_BASE_MAX = 58;
/** How often another suffix is tried when a generated name is taken. */
const GENERATE_ATTEMPTS_MAX = 8;

export async function createObject(deps: Deps, request: CreateRequest): Promise<Unstructured> {
  const { object } = request;
  const generated = !object.metadata.name && Boolean(object.metadata.generateName);
  for (let attempt = 1; ; attempt++) {
    if (generated) object.metadata.name = generateName(deps, object.metadata.generateName as string);
    try {
      return await createOnce(deps, request);
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
      if (generated && attempt < GENERATE_ATTEMPTS_MAX) continue;
      throw alreadyExists(request.type, object.metadata.name ?? '');
    }
  }
}

export function generateName(deps: Pick<Deps, 'random'>, base: string): string {
  return base.slice(0, GENERATED_NAME_BASE_MAX) + nameSuffix(deps.random);
}

async function createOnce(deps: Deps, request: CreateRequest): Promise<Unstructured> {
  const { type, namespace, user, dryRun } = request;
  checkNamespace(type, namespace, request.object);
  const name = request.object.metadata.name ?? '';
  const context: WriteContext = { now: rfc3339(deps.clock.wallMs()), subresource: '', dryRun };
  const admission: AdmissionRequest = { operation: 'CREATE', type, subresource: '', namespace, name, object: request.object, old: undefined, user, dryRun };
  // Ownership is settled first: what admission and strategies add belongs to nobody.
  const object = trackManager({ live: undefined, object: request.object, type, manager: request.manager, context });
  admission.object = object;
  deps.admission.mutate(admission);
  if (hasVersion(object)) throw plainError('resourceVersion should not be set on objects to be created');
  fillMetadata(deps, object, context);
  type.strategy.prepareForCreate(object, context);
  const findings = type.strategy.validateCreate(object);
  if (findings.length > 0) throw invalid(type, name || (object.metadata.generateName ?? ''), findings);
  type.strategy.normalise(object);
  deps.admission.validate({ ...admission, object });
  return storeNew(deps, type, object, dryRun);
}

function hasVersion({ metadata }: Unstructured): boolean {
  return Boolean(metadata.resourceVersion) && metadata.resourceVersion !== '0';
}

export async function storeNew(deps: Deps, type: ResourceType, object: Unstructured, dryRun: boolean): Promise<Unstructured> {
  const name = object.metadata.name ?? '';
  const key = storageKey(type, { namespace: object.metadata.namespace ?? '', name });
  if (dryRun) {
    if (deps.storage.head(type.collection, key)) throw alreadyExists(type, name);
    return object;
  }
  const write = { type: 'put', collection: type.collection, key, expected: 0, encode: (revision: number) => encodeObject(object, revision), memo: attributesOfObject(object, type) } as const;
  const entry = await deps.storage.write(write);
  object.metadata.resourceVersion = String(entry.revision);
  return object;
}

function checkNamespace(type: ResourceType, namespace: string, object: Unstructured): void {
  const meta = object.metadata;
  if (!type.namespaced) {
    delete meta.namespace;
    return;
  }
  if (!namespace) throw internalError('a namespace is required');
  meta.namespace ??= namespace;
  if (meta.namespace === '') meta.namespace = namespace;
  if (meta.namespace !== namespace) throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function fillMetadata(deps: Deps, object: Unstructured, { now }: WriteContext): void {
  const meta = object.metadata;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.resourceVersion;
  delete (meta as Record<string, unknown>)['selfLink'];
  meta.uid = deps.newUid();
  meta.creationTimestamp = now;
}
