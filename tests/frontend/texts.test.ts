// The texts of the page stand in one file, so that a translation is one file.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SyntaxKind } from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import type { Node, SourceFile } from "typescript/unstable/ast";

import * as english from "../../frontend/words/english.ts";

const FRONTEND = join(import.meta.dirname, "../../frontend");
const ENGLISH = "words/english.ts";

/** Attributes that people read or hear; the page's own elements have two more. */
const READ = /^(aria-(label|description|roledescription|valuetext)|title|placeholder|alt|label)$/;
const READ_OF_ELEMENTS = /^(text|name)$/;
/** The same in every language: names of programs and methods, keys as programs name them. */
const SAME =
  /^(fallline|numpy|GD|SGD|ms|Firefox|Edge|Opera|Chromium|Safari|WebSocket|Enter|Escape|Home|End)$/;
/** Words for other programs: headers, values of NumPy, names of traces and places in a figure. */
const FOR_PROGRAMS =
  /^(Authorization|Bearer|Date|True|edge of stability|same height behind it|(just |far )?(left|right) of the middle)$/;
/** Nobody reads these: selectors, names of events, keys of a keyboard, errors of the program. */
const UNREAD =
  /(querySelector(All)?|closest|matches|EventListener|Attribute|Property|startsWith|endsWith|includes|plural|every|Error|Event|matchMedia|register|Item)$/;
/** Properties of choices, notices, strips and cards that people read. */
const READ_PROPERTY = /^(text|title|strong|detail|label|says|hint|brief|further|caption)$/;
const COMMON =
  /(^| )(the|an?|is|are|of|to|in|at|by|for|not|no|and|or|with|from|its?|this|that|your?|each) /;

const hasWord = (text: string) =>
  /\p{L}{2}/u.test(text) && !SAME.test(text.trim()) && !FOR_PROGRAMS.test(text.trim());
/** "Back to live", "Play", " of the samples"; not "button quiet" or "ArrowLeft". */
const isText = (text: string) =>
  hasWord(text) &&
  !/[{}<>[\]#_&*]|\.[a-z]/.test(text) &&
  (/^\p{Lu}\p{Ll}+[.:!?]?( |$)/u.test(text) || (/\S /.test(text) && COMMON.test(`${text} `)));

/** Text nodes and read attributes in the static pieces of a template of Lit. */
function textsOf(pieces: string[]): string[] {
  const source = pieces.join("\0").replace(/<!--.*?-->/gs, "");
  const tags = /<[!/]?([\w-]+)((?:"[^"]*"|[^">])*)>/g;
  const nodes = source.replace(tags, "\n").split("\n");
  const attributes = [...source.matchAll(tags)].flatMap(([, tag, rest]) =>
    [...rest.matchAll(/([\w-]+)="([^"]*)"/g)]
      .filter(([, name]) => READ.test(name) || (tag.includes("-") && READ_OF_ELEMENTS.test(name)))
      .map(([, , value]) => value),
  );
  return [...nodes, ...attributes]
    .flatMap((text) => text.split("\0"))
    .map((text) => text.replace(/&\w+;/g, " ").trim())
    .filter(hasWord);
}

type AnyNode = Node & Record<string, any>;

function literalPieces(node: AnyNode): string[] {
  const parts = node.templateSpans
    ? [node.head, ...node.templateSpans.map((span: any) => span.literal)]
    : [node];
  return parts.map(({ text }: { text: string }) => text);
}

/** What a module says in its own words. */
function ownTexts(file: SourceFile): string[] {
  const found: string[] = [];
  const isUnread = (call: AnyNode) =>
    UNREAD.test(call.expression.name?.text ?? call.expression.text ?? "");
  function visit(node: AnyNode): void {
    switch (node.kind) {
      case SyntaxKind.ImportDeclaration:
      case SyntaxKind.ExportDeclaration:
      case SyntaxKind.LiteralType:
      case SyntaxKind.ThrowStatement:
        return;
      case SyntaxKind.TaggedTemplateExpression:
        found.push(...textsOf(literalPieces(node.template)));
        node.template.templateSpans?.forEach((span: any) => visit(span.expression));
        return;
      case SyntaxKind.CallExpression:
      case SyntaxKind.NewExpression:
        if (isUnread(node)) {
          visit(node.expression);
          return;
        }
        break;
      case SyntaxKind.PropertyAssignment:
        if (
          READ_PROPERTY.test(node.name.text ?? "") &&
          node.initializer.kind === SyntaxKind.StringLiteral
        )
          found.push(...literalPieces(node.initializer).filter(hasWord));
        break;
      case SyntaxKind.StringLiteral:
      case SyntaxKind.NoSubstitutionTemplateLiteral:
      case SyntaxKind.TemplateExpression:
        found.push(...literalPieces(node).filter(isText));
    }
    node.forEachChild((child) => visit(child as AnyNode));
  }
  visit(file as unknown as AnyNode);
  return found;
}

/** The modules of a folder with a tsconfig.json. */
function modulesIn(folder: string): { path: string; source: string; texts: string[] }[] {
  const api = new API({ cwd: folder });
  const config = join(folder, "tsconfig.json");
  const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/node_modules/.test(path) && path !== ENGLISH)
    .map((path) => {
      const file = project!.program.getSourceFile(join(folder, path))!;
      return { path, source: file.text, texts: ownTexts(file) };
    });
  api.close();
  return all;
}

const modules = modulesIn(FRONTEND);

test("only the file of texts has texts", () => {
  assert.ok(modules.length > 150);
  const found = modules.flatMap(({ path, texts }) => texts.map((text) => `${path}: ${text}`));
  assert.deepEqual(found, []);
  const index = readFileSync(join(FRONTEND, "index.html"), "utf8");
  const body = index.replace(/\{\{.+?\}\}/g, "").replace(/<(script|style)\b.*?<\/\1>/gs, "");
  assert.deepEqual(textsOf([body]), []);
});

test("a planted text is found, and code is none", () => {
  const folder = mkdtempSync(join(tmpdir(), "texts-"));
  after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "tsconfig.json"), "{}");
  writeFileSync(
    join(folder, "planted.ts"),
    `export const row = (on: boolean, steps: number, html: any, texts: any) => html\`
      <!-- not this --><p class="button quiet" data-kind="the one">\${texts.play} in total</p>
      <button aria-label="Close it" title=\${on ? "Pause now" : texts.play} data-tone=\${on ? "ok" : "muted"}>×</button>
      <setting-select name="Order" .value=\${"mini"}></setting-select><i>\${steps > 1 ? \`all \${steps} of the steps\` : ""}</i>\`;
    export const choices = [{ value: "log", text: "log steps" }, { value: "loss", text: "Loss" }];
    document.querySelector("button, a of it")?.addEventListener("the end", () => { throw new Error("It is wrong."); });`,
  );
  assert.deepEqual(modulesIn(folder)[0].texts, [
    "in total",
    "Close it",
    "Order",
    "Pause now",
    " of the steps",
    "log steps",
    "Loss",
    "Loss",
  ]);
});

test("every text is used", () => {
  const sources = [
    ...modules.map(({ source }) => source),
    readFileSync(join(FRONTEND, "index.html"), "utf8"),
  ];
  const used = new Set(
    sources.flatMap((source) => [...source.matchAll(/\btexts\.(\w+)/g)].map(([, name]) => name)),
  );
  const counts = ["integer", "plural", "every", "listed"];
  assert.deepEqual(
    Object.keys(english).filter((name) => !used.has(name) && !counts.includes(name)),
    [],
  );
});

test("counts have the noun that fits", () => {
  assert.deepEqual(
    [
      english.plural(1, "step"),
      english.plural(12_345, "sample"),
      english.every(1, "row"),
      english.every(2, "row"),
    ],
    ["1 step", "12,345 samples", "the one row", "all 2 rows"],
  );
  assert.deepEqual(
    [1, 2, 3].map((count) => english.listed(["GD", "SGD", "Adam"].slice(0, count))),
    ["GD", "GD and SGD", "GD, SGD and Adam"],
  );
});
