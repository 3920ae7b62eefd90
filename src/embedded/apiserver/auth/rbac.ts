/**
 * Role-based access control over the stored roles and bindings. Rules are compiled when they change and kept;
 * a decision walks the bindings that name the user. Rule: kubernetes.io "Using RBAC Authorization".
 */
import type { Change, Entry, Storage } from '#embedded/storage';
import { textOf } from '../registry/codec.ts';
import type { Attributes } from './attributes.ts';
import type { UserInfo } from './user.ts';

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

interface Binding {
  namespace: string;
  name: string;
  subjects: Subject[];
  role: { kind: string; name: string };
}

const GROUP = 'rbac.authorization.k8s.io';
export const RBAC_COLLECTIONS = {
  roles: `${GROUP}/roles`,
  clusterRoles: `${GROUP}/clusterroles`,
  roleBindings: `${GROUP}/rolebindings`,
  clusterRoleBindings: `${GROUP}/clusterrolebindings`,
};

export class Rbac {
  readonly #storage: Storage;
  readonly #rules = new Map<string, PolicyRule[]>();
  readonly #bindings = new Map<string, Binding>();
  /** Bindings by who they name: `user x`, `group x`, then by namespace (`''`: cluster). */
  #bySubject = new Map<string, Binding[]>();
  #indexed = false;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  start(): void {
    for (const collection of Object.values(RBAC_COLLECTIONS)) {
      for (const entry of this.#storage.list(collection)) this.#put(entry);
      this.#storage.subscribe(collection, (change) => this.#onChange(change));
    }
  }

  authorize(attributes: Attributes): { allowed: boolean; reason?: string } {
    if (attributes.user.groups.includes('system:masters')) return { allowed: true };
    let missing: string | undefined;
    for (const binding of this.#bindingsOf(attributes.user, attributes.namespace)) {
      const rules = this.#rulesOf(binding);
      if (!rules) missing ??= `RBAC: ${binding.role.kind === 'Role' ? 'role' : 'clusterrole'}.rbac.authorization.k8s.io ${JSON.stringify(binding.role.name)} not found`;
      else if (rules.some((rule) => ruleAllows(rule, attributes))) return { allowed: true, reason: reasonOf(binding, attributes.user) };
    }
    return missing ? { allowed: false, reason: missing } : { allowed: false };
  }

  /** Everything a user may do in a namespace (`''`: at the cluster scope). */
  rulesFor(user: UserInfo, namespace: string): PolicyRule[] {
    if (user.groups.includes('system:masters')) return [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }, ...this.#collect(user, namespace)];
    return this.#collect(user, namespace);
  }

  /** The rules a role reference stands for, or undefined when the role is missing. */
  rulesOfRole(kind: string, name: string, namespace: string): PolicyRule[] | undefined {
    return this.#rules.get(kind === 'Role' ? `${namespace}/${name}` : name);
  }

  #collect(user: UserInfo, namespace: string): PolicyRule[] {
    return this.#bindingsOf(user, namespace).flatMap((binding) => this.#rulesOf(binding) ?? []);
  }

  #rulesOf({ namespace, role }: Binding): PolicyRule[] | undefined {
    return this.rulesOfRole(role.kind, role.name, namespace);
  }

  #bindingsOf(user: UserInfo, namespace: string): Binding[] {
    if (!this.#indexed) this.#index();
    const found: Binding[] = [];
    for (const key of [`user ${user.name}`, ...user.groups.map((group) => `group ${group}`)]) {
      for (const binding of this.#bySubject.get(key) ?? []) {
        if (binding.namespace === '' || (namespace !== '' && binding.namespace === namespace)) found.push(binding);
      }
    }
    // Cluster-wide bindings are asked first, as the real authorizer does.
    return found.sort((a, b) => Number(a.namespace !== '') - Number(b.namespace !== ''));
  }

  #index(): void {
    this.#bySubject = new Map();
    for (const binding of this.#bindings.values()) {
      for (const subject of binding.subjects) {
        const key = subjectKey(subject, binding.namespace);
        if (key) this.#bySubject.set(key, [...(this.#bySubject.get(key) ?? []), binding]);
      }
    }
    this.#indexed = true;
  }

  #onChange({ type, entry }: Change): void {
    if (type === 'put') return this.#put(entry);
    if (isRole(entry)) this.#rules.delete(entry.key);
    else this.#bindings.delete(`${entry.collection} ${entry.key}`);
    this.#indexed = false;
  }

  #put(entry: Entry): void {
    const object = JSON.parse(textOf(entry.value)) as { metadata: { namespace?: string; name: string }; rules?: PolicyRule[] | null; subjects?: Subject[]; roleRef?: Binding['role'] };
    if (isRole(entry)) {
      this.#rules.set(entry.key, object.rules ?? []);
      return;
    }
    const { namespace = '', name } = object.metadata;
    this.#bindings.set(`${entry.collection} ${entry.key}`, { namespace, name, subjects: object.subjects ?? [], role: object.roleRef as Binding['role'] });
    this.#indexed = false;
  }
}

function isRole({ collection }: Entry): boolean {
  return collection === RBAC_COLLECTIONS.roles || collection === RBAC_COLLECTIONS.clusterRoles;
}

function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string | undefined {
  if (kind === 'User') return `user ${name}`;
  if (kind === 'Group') return `group ${name}`;
  const where = namespace || bindingNamespace;
  return kind === 'ServiceAccount' && where ? `user system:serviceaccount:${where}:${name}` : undefined;
}

function reasonOf({ namespace, name, role, subjects }: Binding, user: UserInfo): string {
  const subject = subjects.find((item) => subjectKey(item, namespace) === `user ${user.name}`) ?? subjects.find((item) => item.kind === 'Group' && user.groups.includes(item.name));
  const who = !subject ? '' : subject.kind === 'ServiceAccount' ? `ServiceAccount "${subject.name}/${subject.namespace || namespace}"` : `${subject.kind} "${subject.name}"`;
  const binding = namespace ? `RoleBinding "${name}/${namespace}"` : `ClusterRoleBinding "${name}"`;
  return `RBAC: allowed by ${binding} of ${role.kind} "${role.name}" to ${who}`;
}

/** Whether one rule allows a request. */
export function ruleAllows(rule: PolicyRule, { verb, path, group, plural, subresource, name }: Attributes): boolean {
  if (!has(rule.verbs, verb)) return false;
  if (path !== undefined) return (rule.nonResourceURLs ?? []).some((url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))));
  const resource = subresource ? `${plural}/${subresource}` : plural;
  const resources = rule.resources ?? [];
  const named = resources.includes(resource) || resources.includes('*') || (subresource !== '' && resources.includes(`*/${subresource}`));
  return named && has(rule.apiGroups ?? [], group) && (!rule.resourceNames?.length || rule.resourceNames.includes(name));
}

function has(list: readonly string[], item: string): boolean {
  return list.includes('*') || list.includes(item);
}
