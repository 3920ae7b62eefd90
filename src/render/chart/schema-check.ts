/** values.schema.json of every chart in the tree against the values that chart gets. */
import { isRecord } from '#base/json';
import { toPlain } from '#render/gotemplate';
import type { ActiveChart } from './dependencies.ts';
import { ChartError } from './error.ts';
import { validateSchema } from './schema.ts';
import type { Values } from './types.ts';

/** Throws {@link ChartError} that lists what does not fit, chart by chart. */
export function checkSchemas(root: ActiveChart, values: Values): void {
  const report = reportOf(root, values);
  if (report !== '') throw new ChartError(`values don't meet the specifications of the schema(s) in the following chart(s):\n${report}`);
}

function reportOf(chart: ActiveChart, values: Values): string {
  let report = '';
  if (chart.chart.schema !== undefined) {
    const problems = problemsOf(chart.chart.schema, values);
    if (problems.length > 0) report += `${chart.metadata.name}:\n${problems.map((problem) => `- ${problem}\n`).join('')}`;
  }
  for (const subchart of chart.dependencies) {
    const own = values[subchart.metadata.name];
    if (own === undefined || own === null) continue;
    if (!isRecord(own)) report += `${subchart.metadata.name}:\ninvalid type for values: expected object (map), got ${Array.isArray(own) ? '[]interface {}' : typeof own}\n`;
    else report += reportOf(subchart, own);
  }
  return report;
}

function problemsOf(schemaText: string, values: Values): string[] {
  let schema: unknown;
  try {
    schema = JSON.parse(schemaText);
  } catch (error) {
    throw new ChartError(`values.schema.json is no JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  try {
    return validateSchema(schema, toPlain(values)).map(({ at, message }) => `at '${at}': ${message}`);
  } catch (error) {
    throw new ChartError(`values.schema.json: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
