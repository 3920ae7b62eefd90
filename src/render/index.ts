/** Rendering: everything that turns a user's files into manifests. Re-exports the doors of its rooms. */
export * from '#render/chart';
export * from '#render/kustomize';
