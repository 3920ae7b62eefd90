/** Door of the informer room. */
export type { EventHandler, Indexers, Informer, InformerOptions } from './types.ts';
