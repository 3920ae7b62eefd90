/** Door: from a bundle's files to the objects one cluster gets. */
export { renderBundle, setHash } from './render.ts';
export { applyOverlays } from './overlays.ts';
export { BundleRenderError, type BundleRenderInput, type BundleRenderOptions, type BundleStyle, type RenderedBundle } from './types.ts';
