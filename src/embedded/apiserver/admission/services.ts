/** Addresses and node ports of Services. What is taken is read from the Services themselves: there is no second record. */
import { intBelow } from '#base/random';
import { invalid as invalidField } from '#apimachinery/validation';
import { invalid } from '../errors.ts';
import { decodeEntry } from '../registry/codec.ts';
import type { AdmissionRequest } from '../registry/deps.ts';
import type { Service, ServiceSpec } from '../strategies/service.ts';
import type { View } from './admission.ts';

const KIND = { group: '', version: 'v1', kind: 'Service' };
const NODE_PORTS = { first: 30_000, count: 2768 };
const ATTEMPTS_MAX = 10_000;

/** 10.96.0.0/16, as in the recordings. */
function randomAddress(random: View['random']): string {
  const host = 1 + intBelow(random, 65_534);
  return `10.96.${host >> 8}.${host & 255}`;
}

/** Gives a Service what its type needs and takes away what another type had. Runs on the final object. */
export function allocateService(view: View, { object, old, dryRun }: AdmissionRequest): void {
  const service = object as Service;
  const before = (old as Service | undefined)?.spec;
  const { spec } = service;
  if (spec.type === 'ExternalName') return clearAddresses(spec, before);
  const taken = takenBy(view, service.metadata.namespace ?? '', service.metadata.name ?? '');
  checkFamilies(service);
  allocateAddress(view, service, { taken: taken.addresses, held: before?.clusterIP });
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
  allocateNodePorts(view, service, { before, taken: taken.ports, dryRun });
}

function clearAddresses(spec: ServiceSpec, before: ServiceSpec | undefined): void {
  if (before && before.type !== 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort'] as const) delete spec[field];
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
}

function takenBy({ storage }: View, namespace: string, name: string): { addresses: Set<string>; ports: Set<string> } {
  const addresses = new Set<string>();
  const ports = new Set<string>();
  for (const entry of storage.list('core/services')) {
    if (entry.key === `${namespace}/${name}`) continue;
    const { spec } = decodeEntry(entry, KIND) as Service;
    for (const address of spec.clusterIPs ?? []) addresses.add(address);
    for (const { nodePort, protocol } of spec.ports ?? []) if (nodePort) ports.add(`${protocol ?? 'TCP'} ${nodePort}`);
    if (spec.healthCheckNodePort) ports.add(`TCP ${spec.healthCheckNodePort}`);
  }
  return { addresses, ports };
}

/** The cluster has IPv4 addresses only. */
function checkFamilies({ spec, metadata }: Service): void {
  const findings = (spec.ipFamilies ?? []).flatMap((family, index) => (family === 'IPv4' ? [] : [invalidField(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster')]));
  if (spec.ipFamilyPolicy === 'RequireDualStack') findings.push(invalidField('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  if (findings.length > 0) throw invalid({ group: '', kind: 'Service' }, metadata.name ?? '', findings);
}

interface AddressFacts {
  taken: ReadonlySet<string>;
  /** What the Service had already. */
  held: string | undefined;
}

function allocateAddress({ random }: View, { spec, metadata }: Service, { taken, held }: AddressFacts): void {
  const wanted = spec.clusterIP || spec.clusterIPs?.[0];
  if (wanted === 'None') {
    spec.clusterIP = 'None';
    spec.clusterIPs = ['None'];
    return;
  }
  if (wanted && taken.has(wanted)) {
    throw invalid({ group: '', kind: 'Service' }, metadata.name ?? '', [invalidField('spec.clusterIPs', [wanted], `failed to allocate IP ${wanted}: provided IP is already allocated`)]);
  }
  if (wanted && wanted !== held && !/^10\.96\./.test(wanted)) {
    throw invalid({ group: '', kind: 'Service' }, metadata.name ?? '', [invalidField('spec.clusterIPs', [wanted], `failed to allocate IP ${wanted}: the provided network does not match the current range`)]);
  }
  let address = wanted;
  for (let attempt = 0; !address && attempt < ATTEMPTS_MAX; attempt++) {
    const candidate = randomAddress(random);
    if (!taken.has(candidate)) address = candidate;
  }
  spec.clusterIP = address as string;
  spec.clusterIPs ??= [address as string];
}

interface PortFacts {
  before: ServiceSpec | undefined;
  taken: ReadonlySet<string>;
  dryRun: boolean;
}

function allocateNodePorts(view: View, { spec, metadata }: Service, { before, taken, dryRun }: PortFacts): void {
  const wants = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
  const had = before?.type === 'NodePort' || before?.type === 'LoadBalancer';
  if (!wants) {
    if (had && spec.type === 'ClusterIP') for (const port of spec.ports ?? []) delete port.nodePort;
    return;
  }
  const used = new Set(taken);
  for (const [i, port] of (spec.ports ?? []).entries()) {
    const protocol = port.protocol ?? 'TCP';
    const same = before?.ports?.find((other) => other.port === port.port && (other.protocol ?? 'TCP') === protocol);
    if (!port.nodePort && same?.nodePort) port.nodePort = same.nodePort;
    if (port.nodePort) {
      if (used.has(`${protocol} ${port.nodePort}`)) throw invalid({ group: '', kind: 'Service' }, metadata.name ?? '', [invalidField(`spec.ports[${i}].nodePort`, port.nodePort, 'provided port is already allocated')]);
      checkRange(metadata.name ?? '', i, port.nodePort);
    } else if (!dryRun) port.nodePort = freePort(view, used, protocol);
    if (port.nodePort) used.add(`${protocol} ${port.nodePort}`);
  }
  if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && !spec.healthCheckNodePort && !dryRun) spec.healthCheckNodePort = freePort(view, used, 'TCP');
}

function checkRange(name: string, index: number, port: number): void {
  const last = NODE_PORTS.first + NODE_PORTS.count - 1;
  if (port >= NODE_PORTS.first && port <= last) return;
  throw invalid({ group: '', kind: 'Service' }, name, [invalidField(`spec.ports[${index}].nodePort`, port, `provided port is not in the valid range. The range of valid ports is ${NODE_PORTS.first}-${last}`)]);
}

function freePort({ random }: View, used: ReadonlySet<string>, protocol: string): number {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = NODE_PORTS.first + intBelow(random, NODE_PORTS.count);
    if (!used.has(`${protocol} ${port}`)) return port;
  }
  throw new Error('no node port is free');
}
