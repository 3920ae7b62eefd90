/** Door of the informer room. */
export { createInformer } from './informer.ts';
export type { InformerDependencies } from './informer.ts';
export type { EventHandler, Indexers, Informer, InformerOptions } from './types.ts';
