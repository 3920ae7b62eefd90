/** Door: `fleet apply`, which turns a folder into Bundles. */
export { runApply } from './apply.ts';
export type { FileHost } from './host.ts';
export { bundleYaml } from './bundle-yaml.ts';
export { readArguments, UsageError, type Arguments, type FlagSpec } from './arguments.ts';
