/**
 * YAML as Go's Kubernetes tools read and write it. Everything here is synchronous and pure.
 *
 * Truth: sigs.k8s.io/yaml as inside helm 4.1 and kubectl 1.35, compared by `npm run test:oracle`.
 * Absent: comments and formatting of the source are not kept; nothing here knows Kubernetes objects.
 */
export { GoYamlError } from './error.ts';
export { dumpYaml, goFloat, EMIT_LIMITS, type DumpOptions } from './emit.ts';
export { parseDocuments, parseYaml, YAML_LIMITS, type YamlDocument, type YamlOptions } from './parse.ts';
export { splitDocuments, type DocumentText } from './documents.ts';
export { resolvePlain, type Scalar } from './scalars.ts';
export { compareKeys } from './order.ts';
