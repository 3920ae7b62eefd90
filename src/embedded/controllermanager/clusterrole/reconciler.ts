/** Fills the rules of ClusterRoles with an aggregation rule from the roles it selects. Rule: "Aggregated ClusterRoles". */
import { deepEqual } from '#base/json';
import { keyOf } from '#apimachinery/meta';
import { matchesSelector } from '#apimachinery/labels';
import { clusterRoles, type ClusterRole } from '#api/builtin';
import { ControlLoop, type ControlPlane } from '#embedded/controlloop';

/** The rules an aggregating role should have: those of all selected roles, by name, without repetition. Pure. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): NonNullable<ClusterRole['rules']> {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const sorted = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: NonNullable<ClusterRole['rules']> = [];
  for (const selector of selectors) {
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name || !matchesSelector(selector, other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) if (!rules.some((each) => deepEqual(each, rule))) rules.push(rule);
    }
  }
  return rules;
}

export function clusterRoleAggregation(plane: ControlPlane): ControlLoop {
  const informer = plane.informers.of(clusterRoles);
  const aggregating = () => informer.list().filter((role) => role.aggregationRule).map(keyOf);
  return new ControlLoop({
    name: 'clusterrole-aggregation',
    plane,
    sources: [{ informer, map: aggregating, changed: (before, after) => !deepEqual([before.rules, before.metadata.labels, before.aggregationRule], [after.rules, after.metadata.labels, after.aggregationRule]) }],
    async reconcile(key) {
      const role = informer.get(key);
      if (!role?.aggregationRule) return;
      const rules = aggregatedRules(role, informer.list());
      if (!deepEqual(rules, role.rules ?? [])) await plane.client.update(clusterRoles, { ...role, rules });
    },
  });
}
