// Reads an AsyncAPI document with the official parser: node asyncapi.mjs <node_modules> <document>.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, document] = process.argv.slice(2);
const { Parser } = createRequire(`${resolve(modules)}/`)("@asyncapi/parser");
const diagnostics = await new Parser().validate(readFileSync(document, "utf8"));
for (const { severity, path, message } of diagnostics) {
  console.log(`${["error", "warning", "info", "hint"][severity]} ${path.join(".")}: ${message}`);
}
const errors = diagnostics.filter(({ severity }) => severity === 0).length;
console.log(`${diagnostics.length} findings, ${errors} errors`);
process.exit(errors ? 1 : 0);
