/**
 * Go's text/template with Sprig and Helm's functions. Pure and synchronous; truth: helm 4.1.
 *
 * Values go in as plain data (a number is a float64, as Helm sees YAML) and text comes out. What a template
 * could learn from the machine — time, chance, keys, the cluster — is passed in.
 */
export { Engine, ParseCache, type EngineOptions } from './engine.ts';
export { ChartFailure, FunctionError, RenderLimitError, TemplateExecError, TemplateParseError } from './errors.ts';
export { fn, type FunctionTable } from './functions.ts';
export { DEFAULT_RENDER_LIMITS, type CertificatePair, type CertificateRequest, type RenderCrypto, type RenderLimits } from './types.ts';
export { compareVersions, parseConstraint, parseVersion, satisfies, sprigFunctions, versionText, type SprigOptions, type Version } from './sprig/index.ts';
export { helmFunctions, type HelmFunctionOptions } from './helm.ts';
export { compareStrings, GoInt, GoStruct, int, int64, isMap, setKey, strings, typed, type GoFunction, type GoMap } from './value.ts';
export { decodeUtf8, encodeUtf8 } from './bytes.ts';
export { toJson, toPlain } from './json.ts';
export { expandDelimited, type DelimitedOptions } from './delimited.ts';
export { deepCopyGo } from './sprig/deep.ts';
