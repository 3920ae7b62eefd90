/**
 * A Bundle as `fleet apply -o` prints it. Fleet's types write `correctDrift` and `ignore` even when they
 * are empty; the golden files of fleet-examples have them so.
 */
import type { Bundle } from '#api/fleet';
import { dumpYaml } from '#render/rawyaml';

const ALWAYS = { correctDrift: {}, ignore: {} };

export function bundleYaml(bundle: Bundle): string {
  const { targets, ...spec } = bundle.spec;
  const shown = { ...ALWAYS, ...spec, ...(targets ? { targets: targets.map((target) => ({ ...ALWAYS, ...target })) } : {}) };
  return dumpYaml({ ...bundle, spec: shown });
}
