/** A chart that cannot be loaded or rendered; messages are Helm's where Helm has one. */
export class ChartError extends Error {
  override name = 'ChartError';
}
