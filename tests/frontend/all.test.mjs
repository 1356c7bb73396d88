// Runs every test for those who still name them by their old suffix.
import { readdirSync } from "node:fs";

for (const name of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts"))) {
  await import(`./${name}`);
}
