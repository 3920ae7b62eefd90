/** `${ }` templates and YAML for the targeting of bundles. */
import type { TemplateTools } from '#core/target';
import { dumpYaml, parseYaml } from '#render/rawyaml';

export function templateTools(): TemplateTools {
  return {
    expand(text) {
      if (!text.includes('${')) return text;
      throw new Error('templates are not built in yet');
    },
    parseYaml: (text) => parseYaml(text),
    formatYaml: (value) => dumpYaml(value),
  };
}
