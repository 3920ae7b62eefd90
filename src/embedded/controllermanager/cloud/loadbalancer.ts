/**
 * What a cloud would do for Services of type LoadBalancer: give them an address. There is nobody to balance,
 * so all get the same one; without an address in the settings they stay pending, as on a cluster without a cloud.
 */
import { deepEqual } from '#base/json';
import { services, type Service } from '#api/builtin';
import { ControlLoop, type ControlPlane } from '#embedded/controlloop';

/** The status a Service should have. Pure; `undefined` when it is as it should be. */
export function wantedLoadBalancer(service: Service, address: string): Service['status'] | undefined {
  const wanted = service.spec?.type === 'LoadBalancer' && !service.spec.loadBalancerClass ? { ingress: [{ ip: address, ipMode: 'VIP' }] } : {};
  return deepEqual(wanted, service.status?.loadBalancer ?? {}) ? undefined : { ...service.status, loadBalancer: wanted };
}

export function loadBalancers(plane: ControlPlane, address: string): ControlLoop {
  const informer = plane.informers.of(services);
  return new ControlLoop({
    name: 'loadbalancer',
    plane,
    sources: [{ informer }],
    async reconcile(key) {
      const service = informer.get(key);
      const status = service && !service.metadata.deletionTimestamp ? wantedLoadBalancer(service, address) : undefined;
      if (service && status) await plane.client.update(services, { ...service, status }, { subresource: 'status' });
    },
  });
}
