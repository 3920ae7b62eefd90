/**
 * Nobody grants rights he does not have: roles may only hold rules their author holds, and bindings only roles
 * whose rules he holds, unless he may `escalate` or `bind`. Rule: kubernetes.io "Privilege escalation prevention".
 */
import { deepEqual } from '#base/json';
import type { Rbac, PolicyRule } from '../auth/rbac.ts';
import type { Attributes } from '../auth/attributes.ts';
import { forbidden } from '../errors.ts';
import type { AdmissionRequest } from '../registry/deps.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);

export function checkEscalation(rbac: Rbac, request: AdmissionRequest): void {
  const { operation, type, object, old, user } = request;
  if (type.group !== GROUP || operation === 'DELETE' || !object || user.groups.includes('system:masters')) return;
  if (ROLES.has(type.plural)) {
    if (old && deepEqual(old['rules'], object['rules']) && deepEqual(old['aggregationRule'], object['aggregationRule'])) return;
    if (allowed(rbac, request, { verb: 'escalate', plural: type.plural, name: request.name })) return;
    check(rbac, request, (object['rules'] as PolicyRule[] | undefined) ?? []);
  }
  if (!BINDINGS.has(type.plural)) return;
  if (old && deepEqual(old['subjects'], object['subjects']) && deepEqual(old['roleRef'], object['roleRef'])) return;
  const role = object['roleRef'] as { kind: string; name: string };
  if (allowed(rbac, request, { verb: 'bind', plural: role.kind === 'Role' ? 'roles' : 'clusterroles', name: role.name })) return;
  const rules = rbac.rulesOfRole(role.kind, role.name, request.namespace);
  if (!rules) throw forbidden(type, request.name, `${role.kind === 'Role' ? 'role' : 'clusterrole'}.rbac.authorization.k8s.io ${JSON.stringify(role.name)} not found`);
  check(rbac, request, rules);
}

function allowed(rbac: Rbac, { user, namespace }: AdmissionRequest, asked: { verb: string; plural: string; name: string }): boolean {
  const attributes: Attributes = { user, namespace, group: GROUP, version: 'v1', subresource: '', ...asked };
  return rbac.authorize(attributes).allowed;
}

function check(rbac: Rbac, { type, name, namespace, user }: AdmissionRequest, wanted: readonly PolicyRule[]): void {
  const held = rbac.rulesFor(user, namespace);
  const missing = wanted.flatMap(split).filter((rule) => !held.some((own) => covers(own, rule)));
  if (missing.length === 0) return;
  const groups = `groups=${JSON.stringify(user.groups).replaceAll(',', ' ')}`;
  const text = missing.map(ruleText).join('\n');
  throw forbidden(type, name, `user ${JSON.stringify(user.name)} (${groups}) is attempting to grant RBAC permissions not currently held:\n${text}`);
}

/** One rule per verb and resource or URL. */
function split(rule: PolicyRule): PolicyRule[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  return verbs.flatMap((verb) => [
    ...nonResourceURLs.map((url) => ({ verbs: [verb], nonResourceURLs: [url] })),
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.length > 0
          ? resourceNames.map((item) => ({ verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: [item] }))
          : [{ verbs: [verb], apiGroups: [group], resources: [resource] }],
      ),
    ),
  ]);
}

/** Whether one held rule allows all of a split rule. */
function covers(own: PolicyRule, { verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): boolean {
  const includes = (list: readonly string[] | undefined, item: string | undefined) => list?.includes('*') || (item !== undefined && list?.includes(item)) || false;
  if (!includes(own.verbs, verbs[0])) return false;
  const url = nonResourceURLs?.[0];
  if (url !== undefined) return (own.nonResourceURLs ?? []).some((have) => have === '*' || have === url || (have.endsWith('*') && url.startsWith(have.slice(0, -1))));
  const resource = resources?.[0] ?? '';
  const subresource = resource.includes('/') ? `*/${resource.split('/')[1]}` : undefined;
  const named = !own.resourceNames?.length || (resourceNames?.[0] !== undefined && own.resourceNames.includes(resourceNames[0]));
  return includes(own.apiGroups, apiGroups?.[0]) && (includes(own.resources, resource) || includes(own.resources, subresource)) && named;
}

function ruleText({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string {
  const part = (name: string, items: readonly string[] | undefined) => (items ? `${name}:${JSON.stringify(items)}` : '');
  const parts = [part('APIGroups', apiGroups), part('Resources', resources), part('ResourceNames', resourceNames), part('NonResourceURLs', nonResourceURLs), part('Verbs', verbs)];
  return `{${parts.filter(Boolean).join(', ')}}`;
}
