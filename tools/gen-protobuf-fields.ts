/**
 * Writes `src/embedded/apiserver/protobuf/fields.generated.json`: the field numbers of Kubernetes' protobuf
 * messages, for the bodies that kubectl's typed commands send. Sources are the published Go modules
 * `k8s.io/{api,apimachinery,apiextensions-apiserver}`: numbers and types from `generated.proto`, JSON names and
 * inlining from the struct tags beside it.
 *
 *     node tools/gen-protobuf-fields.ts MODULES VERSION     # e.g. ~/go/pkg/mod/k8s.io 36.2
 *
 * The format is described where it is read: src/embedded/apiserver/protobuf/decode.ts.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [modules, version] = process.argv.slice(2);
if (!modules || !version) throw new Error('usage: gen-protobuf-fields.ts MODULES VERSION');

/** Group version → proto package and folder. Older versions are only served by older servers. */
const PACKAGES: Readonly<Record<string, string>> = {
  v1: 'core/v1', 'apps/v1': 'apps/v1', 'events.k8s.io/v1': 'events/v1', 'authentication.k8s.io/v1': 'authentication/v1', 'authorization.k8s.io/v1': 'authorization/v1',
  'autoscaling/v1': 'autoscaling/v1', 'autoscaling/v2': 'autoscaling/v2', 'batch/v1': 'batch/v1', 'certificates.k8s.io/v1': 'certificates/v1',
  'networking.k8s.io/v1': 'networking/v1', 'policy/v1': 'policy/v1', 'rbac.authorization.k8s.io/v1': 'rbac/v1', 'storage.k8s.io/v1': 'storage/v1',
  'scheduling.k8s.io/v1': 'scheduling/v1', 'coordination.k8s.io/v1': 'coordination/v1', 'node.k8s.io/v1': 'node/v1', 'discovery.k8s.io/v1': 'discovery/v1',
  'admissionregistration.k8s.io/v1': 'admissionregistration/v1',
};
const SHARED = ['apimachinery/pkg/apis/meta/v1', 'apimachinery/pkg/util/intstr', 'apimachinery/pkg/api/resource', 'apimachinery/pkg/runtime'];

type Field = [number: number, name: string, type: string];
const messages: Record<string, Field[]> = {};

function readPackage(folder: string): string {
  const text = readFileSync(join(folder, 'generated.proto'), 'utf8').replace(/\/\/.*$/gm, '');
  const name = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  const tags = structTags(folder);
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{([\s\S]*?)^\}/gm)) {
    messages[`${name}.${message}`] = [...body.matchAll(/^\s*(optional|repeated|)\s*(map<[^>]*>|[\w.]+) (\w+) = (\d+)/gm)].map(([, label, type = '', field = '', number]): Field => {
      const json = tags.get(`${message}.${number}`) ?? field;
      return [Number(number), json, `${label === 'repeated' ? '*' : ''}${typeName(type, name)}`];
    });
  }
  return name;
}

/** `Struct.number` → JSON name; empty for inlined structs. */
function structTags(folder: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const file of globSync('*.go', { cwd: folder })) {
    if (/_test\.go$|^zz_|generated/.test(file)) continue;
    for (const [, struct = '', body = ''] of readFileSync(join(folder, file), 'utf8').matchAll(/^type (\w+) struct \{([\s\S]*?)^\}/gm)) {
      for (const [, json = '', number] of body.matchAll(/`json:"([^"]*)"[^`]*protobuf:"\w+,(\d+)/g)) tags.set(`${struct}.${number}`, json.split(',')[0] as string);
    }
  }
  return tags;
}

function typeName(type: string, packageName: string): string {
  const map = /^map<string, (.*)>$/.exec(type);
  if (map) return `%${typeName(map[1] as string, packageName)}`;
  if (type.startsWith('.')) return type.slice(1);
  const scalars: Record<string, string> = { string: 's', int32: 'i', int64: 'i', uint32: 'i', uint64: 'i', bool: 'b', bytes: 'y', double: 'd' };
  return scalars[type] ?? `${packageName}.${type}`;
}

const root = dirname(import.meta.dirname);
const groupVersions: Record<string, string> = {};
for (const [gv, path] of Object.entries(PACKAGES)) {
  const folder = join(modules, `api@v0.${version}`, path);
  if (existsSync(join(folder, 'generated.proto'))) groupVersions[gv] = readPackage(folder);
}
for (const path of SHARED) readPackage(join(modules, path.replace('apimachinery/', `apimachinery@v0.${version}/`)));
const known = Object.fromEntries(Object.entries(messages).filter(([name]) => !/List$/.test(name) || name.endsWith('.List')));
writeFileSync(join(root, 'src/embedded/apiserver/protobuf/fields.generated.json'), `${JSON.stringify({ groupVersions, messages: known })}\n`);
