/** Door: Bundles become BundleDeployments. */
export { BundleReconciler, BY_BUNDLE, type BundleDependencies, bundleKeyOf } from './reconciler.ts';
export { INTERNAL_SECRET_SELECTOR, VALUES_HASH } from './values.ts';
