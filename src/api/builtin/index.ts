/**
 * Door of the builtin kinds: their shapes (`Pod`, `Deployment`, …), their REST addresses (`pods`,
 * `deployments`, …), and — in `./kinds.ts` — what an API server knows about each: verbs, subresources,
 * schema, defaults, validation. Everything is plain JSON as on the wire.
 */
export type * from './types/index.ts';
export * from './resources.generated.ts';
export {
  type BuiltinKind, type BuiltinSubresource, type Decoded, builtinKinds, builtinSchema, builtinSchema as schemaOf, customResourceSchema, decodeBuiltin, defaultBuiltin, findBuiltin,
  resetFieldsOf, selectableFieldsOf, validateBuiltinCreate, validateBuiltinUpdate,
} from './kinds.ts';
export { builtinWarnings } from './warnings.ts';
