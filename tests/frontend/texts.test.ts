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
/** Words for other programs: headers, values of NumPy, kinds of marks, lines of a step, and places in a figure. */
const FOR_PROGRAMS =
  /^(Authorization|Bearer|Date|True|fall line|(forward|backward|update) \w+|(top|bottom) (left|right)|((right|left) )?(over|level|under|high|low)|tiny steps)$/;
/** Classes of marks and labels: a word and what it is like. */
const LOOKS =
  /^(end bad|start inner|tick (beside|chosen)|values dense|layers first|input-name beside|card dense|who moment|popover word|score within( corner-right)?)$/;
/** Nobody reads these: selectors, names of events, keys of a keyboard, errors of the program. */
const UNREAD =
  /(querySelector(All)?|closest|matches|EventListener|Attribute|Property|startsWith|endsWith|includes|plural|every|Error|Event|matchMedia|register|Item)$/;
/** These put words on the page; what a label is like comes first. */
const SHOWS = /^(label|plain|strong|createTextNode)$/;
/** Properties of choices, notices, strips and cards that people read. */
const READ_PROPERTY =
  /^(text|title|strong|detail|label|says|hint|brief|further|caption|whole|textContent|ariaLabel)$/;
const COMMON =
  /(^| )(the|an?|is|are|of|to|in|at|by|for|not|no|and|or|with|from|its?|this|that|your?|each) /;

const hasWord = (text: string) => {
  const own = text.trim();
  return /\p{L}{2}/u.test(own) && ![SAME, FOR_PROGRAMS, LOOKS].some((pattern) => pattern.test(own));
};
/** "Back to live", "Play", "long polling", " of the samples"; not "button quiet" or "ArrowLeft". */
const isText = (text: string) =>
  hasWord(text) &&
  !/[{}<>[\]#_&*=@]|\.[a-z]/.test(text) &&
  (/^\p{Lu}\p{Ll}+[.:!?]?( |$)/u.test(text) ||
    /^\p{Ll}[\p{Ll}-]+( [\p{Ll}-]{2,})+[.,:]?$/u.test(text) ||
    (/\S /.test(text) && COMMON.test(`${text} `)));

/** Text nodes and read attributes in the static pieces of a template of Lit. */
function textsOf(pieces: string[]): string[] {
  const source = pieces.join("\0").replace(/<!--.*?-->/gs, "");
  const tags = /<[!/]?([\w-]+)((?:"[^"]*"|[^">])*)>/g;
  const nodes = source.replace(tags, "\n").split("\n");
  const attributes = [...source.matchAll(tags)].flatMap(([, tag, rest]) =>
    [...rest.matchAll(/([\w-]+)="([^"]*)"/g)]
      .filter(([, name]) => isRead(name, tag))
      .map(([, , value]) => value),
  );
  return [...nodes, ...attributes]
    .flatMap((text) => text.split("\0"))
    .map((text) => text.replace(/&\w+;/g, " ").trim())
    .filter(hasWord);
}

const isRead = (attribute: string, tag: string) =>
  READ.test(attribute) || (tag.includes("-") && READ_OF_ELEMENTS.test(attribute));

/** True for a hole of a template that people read: between tags, or the value of such an attribute. */
function isReadHole(before: string): boolean {
  const open = before.lastIndexOf("<");
  if (open <= before.lastIndexOf(">")) return true;
  const [, tag] = /<([\w-]*)/.exec(before.slice(open)) ?? [];
  const [, attribute] = /[.?@]?([\w-]+)=["']?$/.exec(before) ?? [];
  return isRead(attribute ?? "", tag ?? "");
}

type AnyNode = Node & Record<string, any>;

const LITERALS = [
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateExpression,
];
const isLiteral = ({ kind }: AnyNode) => LITERALS.includes(kind);

function literalPieces(node: AnyNode): string[] {
  const parts = node.templateSpans
    ? [node.head, ...node.templateSpans.map((span: any) => span.literal)]
    : [node];
  return parts.map(({ text }: { text: string }) => text);
}

/** `texts.play`, `texts.stepX(step)`. */
const isOfTheFile = (node: AnyNode): boolean =>
  node.kind === SyntaxKind.CallExpression
    ? isOfTheFile(node.expression)
    : node.kind === SyntaxKind.PropertyAccessExpression && node.expression.text === "texts";

/** Possible values of an expression: the branches of its conditions. */
function outcomes(node: AnyNode): AnyNode[] {
  switch (node.kind) {
    case SyntaxKind.ParenthesizedExpression:
      return outcomes(node.expression);
    case SyntaxKind.ConditionalExpression:
      return [...outcomes(node.whenTrue), ...outcomes(node.whenFalse)];
    case SyntaxKind.BinaryExpression:
      if (node.operatorToken.kind === SyntaxKind.AmpersandAmpersandToken)
        return outcomes(node.right);
      if (
        [SyntaxKind.BarBarToken, SyntaxKind.QuestionQuestionToken].includes(node.operatorToken.kind)
      )
        return [...outcomes(node.left), ...outcomes(node.right)];
      return [node];
    default:
      return [node];
  }
}

/** The literals beside nodes that are texts of the file: they are read too. */
const beside = (nodes: AnyNode[]) => (nodes.some(isOfTheFile) ? nodes.filter(isLiteral) : []);

/** Properties beside a text that say what it is like. */
const LOOK_PROPERTY = /^(name|sign|glyph|tone|kind)$/;

/** The values of an object that maps keys to texts: { steps: "steps", samples: texts.samplesSeen }. */
function mapped({ properties }: AnyNode): AnyNode[] {
  const values = [...properties].map((each: AnyNode) => each.initializer);
  const isMap =
    values.every((value) => value && (isLiteral(value) || isOfTheFile(value))) &&
    ![...properties].some(({ name }) =>
      [READ_PROPERTY, LOOK_PROPERTY].some((pattern) => pattern.test(name.text ?? "")),
    );
  return isMap ? beside(values) : [];
}

/** A module's own words, in the order of the source. */
function ownTexts(file: SourceFile): string[] {
  const entries = new Map<string, { at: number; text: string }>();
  const add = (node: AnyNode, texts: string[]) => {
    for (const text of texts) entries.set(`${node.pos} ${text}`, { at: node.pos, text });
  };
  /** Read for certain, even a single word. */
  const addRead = (nodes: AnyNode[]) => {
    for (const node of nodes.flatMap(outcomes).filter(isLiteral))
      add(
        node,
        literalPieces(node).filter((text) => hasWord(text) && !/\w\(/.test(text)), // no code
      );
  };
  const nameOf = (call: AnyNode) => call.expression.name?.text ?? call.expression.text ?? "";
  function visit(node: AnyNode): void {
    switch (node.kind) {
      case SyntaxKind.ImportDeclaration:
      case SyntaxKind.ExportDeclaration:
      case SyntaxKind.LiteralType:
        return;
      case SyntaxKind.TaggedTemplateExpression: {
        const pieces = literalPieces(node.template);
        add(node, textsOf(pieces));
        node.template.templateSpans?.forEach((span: any, k: number) => {
          if (isReadHole(pieces.slice(0, k + 1).join(""))) addRead([span.expression]);
          visit(span.expression);
        });
        return;
      }
      case SyntaxKind.CallExpression:
      case SyntaxKind.NewExpression:
        if (UNREAD.test(nameOf(node))) {
          visit(node.expression);
          return;
        }
        if (SHOWS.test(nameOf(node))) {
          const labels = [...node.arguments].slice(nameOf(node) === "label" ? 1 : 0);
          addRead(labels);
          labels.forEach(visit);
          return;
        }
        break;
      case SyntaxKind.BinaryExpression:
        if (
          node.operatorToken.kind === SyntaxKind.EqualsToken &&
          READ_PROPERTY.test(node.left.name?.text ?? "")
        )
          addRead([node.right]);
        addRead(beside(outcomes(node)));
        break;
      case SyntaxKind.ConditionalExpression:
        addRead(beside(outcomes(node)));
        break;
      case SyntaxKind.ObjectLiteralExpression:
        addRead(mapped(node));
        break;
      case SyntaxKind.PropertyAssignment:
        if ([READ_PROPERTY, READ].some((pattern) => pattern.test(node.name.text ?? "")))
          addRead([node.initializer]);
        visit(node.initializer);
        return;
      case SyntaxKind.ArrayLiteralExpression: {
        const [name, value] = node.elements; // an attribute
        if (value && /^aria-/.test(name.text ?? "") && READ.test(name.text)) addRead([value]);
        break;
      }
      case SyntaxKind.RegularExpressionLiteral:
        if (/\p{L}{4} |\p{L} \p{L}{3}/u.test(node.text)) add(node, [node.text]);
        return;
      case SyntaxKind.StringLiteral:
      case SyntaxKind.NoSubstitutionTemplateLiteral:
      case SyntaxKind.TemplateExpression:
        add(node, literalPieces(node).filter(isText));
    }
    node.forEachChild((child) => visit(child as AnyNode));
  }
  visit(file as unknown as AnyNode);
  return [...entries.values()].sort((a, b) => a.at - b.at).map(({ text }) => text);
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

const PAGES = ["index.html", "check.html"].map((name) => {
  const source = readFileSync(join(FRONTEND, name), "utf8");
  const markup = source.replace(/\{\{.+?\}\}/g, "").replace(/<(script|style)\b.*?<\/\1>/gs, "");
  const content = [...markup.matchAll(/<meta name="description" content="([^"]*)"/g)];
  const language = [...markup.matchAll(/<html lang="([^"]*)"/g)];
  return {
    path: name,
    source,
    texts: [...textsOf([markup]), ...[...content, ...language].map(([, text]) => text)].filter(
      Boolean,
    ),
  };
});

test("only the file of texts has texts", () => {
  assert.ok(modules.length > 150);
  const leftovers = [...PAGES, ...modules].flatMap(({ path, texts }) =>
    texts.map((text) => `${path}: ${text}`),
  );
  assert.deepEqual(leftovers, []);
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
      <setting-select name="Order" .value=\${"mini"} .text=\${on ? "shuffled" : ""}></setting-select>
      <i>\${steps > 1 ? \`all \${steps} of the steps\` : ""}</i><b>\${on && "map"}</b>\`;
    export const choices = [{ value: "log", text: "log steps" }, { value: "loss", text: "Loss" }];
    export const axes = (texts: any) => ({ steps: "steps", samples: texts.samplesSeen });
    export const moment = (on: boolean, texts: any) => ({ "edge of it": on ? texts.inX(1) : "now", kind: "warn" });
    export const lines = { events: "server-sent events", polling: "long polling" };
    export const isMean = (text: string) => /predicts the mean/.test(text) && /^layer \\d+$/.test(text);
    export const corner = (label: any) => label("corner true", { left: 0 }, "true");
    document.title = "fitting";
    export const attributes = [["aria-roledescription", "chart"], ["role", "application"]];
    document.querySelector("button, a of it")?.addEventListener("the end", () => { throw new Error("It is wrong."); });
    class Unreadable extends Error {}
    throw new Unreadable("It is larger.");`,
  );
  assert.deepEqual(modulesIn(folder)[0].texts, [
    "in total",
    "Close it",
    "Order",
    "Pause now",
    "shuffled",
    "all ",
    " of the steps",
    "map",
    "log steps",
    "Loss",
    "steps",
    "now",
    "server-sent events",
    "long polling",
    "/predicts the mean/",
    "/^layer \\d+$/",
    "true",
    "fitting",
    "chart",
    "It is larger.",
  ]);
});

test("every text is used", () => {
  const used = new Set(
    [...PAGES, ...modules].flatMap(({ source }) =>
      [...source.matchAll(/\btexts\.(\w+)/g)].map(([, name]) => name),
    ),
  );
  const counts = ["integer", "plural", "every", "listed"];
  assert.deepEqual(
    Object.keys(english).filter((name) => !used.has(name) && !counts.includes(name)),
    [],
  );
});

test("a text leads to a part of the page by that part's name", () => {
  const texts: string[] = Object.values(english).filter((text) => typeof text === "string");
  const places = texts.flatMap((text) =>
    [...text.matchAll(/ (?:under|on|from) (\p{Lu}\p{Ll}+)\b/gu)].map(([, place]) => place),
  );
  assert.ok(places.includes(english.files) && places.includes(english.data));
  assert.deepEqual(
    places.filter((place) => !texts.includes(place)),
    [],
  );
});

test("no text delays its subject, and an ellipsis is one character", () => {
  const read = Object.values(english).map((text) => String(text));
  const late = /(^|[.:!?"`] )["`]?(Of which|What|Whether|Where|Who|Those|Stored)\b(?![^.:]*\?)/;
  const sentences = read.filter((text) => text.split(" ").length > 4);
  assert.deepEqual(
    sentences.filter((text) => late.test(text) || /\.\.\.["`]?$/.test(text)),
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

test("a sentence begins with a capital, code does not", () => {
  assert.equal(english.capital("hyperbolic tangent"), "Hyperbolic tangent");
  assert.equal(english.capital("a rate"), "A rate");
  for (const code of ["max(z, 0): zero for every negative input", "y = Xβ"])
    assert.equal(english.capital(code), code);
});
