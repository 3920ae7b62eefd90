/** Door: from files to Bundles and Contents, as Fleet builds them. */
export type * from './types.ts';
export { buildBundles, requiredCharts } from './build.ts';
export { bundleName, chartFolder, chartKey, limitName, safeConcatName } from './names.ts';
export { buildContent, contentName, decodeResource, manifestJson } from './content.ts';
export { extractValues, injectValues } from './values.ts';
