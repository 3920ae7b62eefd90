/** Door of OpenAPI documents: v2 and v3 descriptions of what a server serves, made from schemas. */
export { type ServedKind, buildOpenApiV2, buildOpenApiV3 } from './documents.ts';
export { acceptsOpenApiV2Protobuf, minimalOpenApiV2Protobuf, OPENAPI_V2_PROTOBUF } from './protobuf.ts';
