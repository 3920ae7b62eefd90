/**
 * Shapes of the builtin kinds as plain JSON. A name that two API groups share belongs to the older group;
 * the other one carries its group in front (`DiscoveryEndpointPort`). Required is what a server always sends.
 */
export type * from './core-v1.generated.ts';
export type * from './apps-v1.generated.ts';
export type * from './batch-v1.generated.ts';
export type * from './rbac-v1.generated.ts';
export type * from './policy-v1.generated.ts';
export type * from './coordination-v1.generated.ts';
export type * from './discovery-v1.generated.ts';
export type * from './networking-v1.generated.ts';
export type * from './autoscaling-v2.generated.ts';
export type * from './autoscaling-v1.generated.ts';
export type * from './scheduling-v1.generated.ts';
export type * from './authentication-v1.generated.ts';
export type * from './authorization-v1.generated.ts';
export type * from './apiextensions-v1.generated.ts';
export type * from './apiregistration-v1.generated.ts';
export type * from './admissionregistration-v1.generated.ts';
export type * from './events-v1.generated.ts';
export type * from './storage-v1.generated.ts';
export type * from './node-v1.generated.ts';
export type * from './certificates-v1.generated.ts';
export type * from './flowcontrol-v1.generated.ts';
