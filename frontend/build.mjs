/**
 * Builds the pages into dist/: a script and a style sheet each, a Plotly of the traces that charts
 * use, and the files they load. Every file except the pages has the hash of its contents in its
 * name, and lies there plain, as gzip and as Brotli.
 *
 * - `--watch` builds again after each change
 * - `--words FILE` builds the page with another file in place of words/english.ts; a text that it lacks is an error
 * - `--out FOLDER` builds into another folder
 *
 * Both are relative to the folder of the call.
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import plotlyPackage from "plotly.js/package.json" with { type: "json" };

const { values: OPTIONS } = parseArgs({
  options: {
    watch: { type: "boolean" },
    words: { type: "string", default: join(import.meta.dirname, "words/english.ts") },
    out: { type: "string", default: join(import.meta.dirname, "dist") },
  },
});
const [WORDS, OUT] = [resolve(OPTIONS.words), resolve(OPTIONS.out)];
process.chdir(import.meta.dirname);
const DIST = relative("", OUT);
/** The last one is read again when it changes, so it is written last. */
const PAGES = ["check.html", "index.html"];
const TEMPLATE = "../backend/fallline/figures/plotly-template.json";
const COMMON = {
  absWorkingDir: import.meta.dirname,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  outdir: DIST,
  entryNames: "assets/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  logLevel: "warning",
  logOverride: { "import-is-undefined": "error" },
};

/** `window.Plotly` with scatter (part of the core), heatmap and contour. Its modules expect Node's `global`. */
const PLOTLY = {
  ...COMMON,
  stdin: {
    contents: `
      import Plotly from "plotly.js/lib/core";
      import contour from "plotly.js/lib/contour";
      import heatmap from "plotly.js/lib/heatmap";
      Plotly.register([heatmap, contour]);
      export default Plotly;`,
    resolveDir: import.meta.dirname,
    sourcefile: "plotly.js",
  },
  entryNames: "assets/plotly-[hash]",
  format: "iife",
  globalName: "PL",
  banner: { js: `/*! plotly.js v${plotlyPackage.version} | Copyright Plotly, Inc. | MIT */` },
  footer: { js: "window.Plotly=PL.default;" },
  define: { global: "window" },
  target: "es2020",
  loader: { ".css": "empty" },
};

let texts = {};

/**
 * The chosen file takes the place of words/english.ts, which it may itself import. A text without holes stands where it
 * is used: a name for it, there and in the file, would cost 2 kB in all.
 */
const CHOSEN_WORDS = {
  name: "words",
  setup({ onStart, onResolve, onLoad }) {
    onStart(async () => {
      texts = await import(`${pathToFileURL(WORDS)}?${Date.now()}`); // `--watch` reads it anew
    });
    onResolve({ filter: /\/words\/english\.ts$/ }, ({ importer }) =>
      importer === WORDS ? undefined : { path: WORDS },
    );
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8").replace(/\btexts\.(\w+)\b(?!\()/g, (reference, name) =>
        typeof texts[name] === "string" ? JSON.stringify(texts[name]) : reference,
      ),
    }));
  },
};

const PAGE = {
  ...COMMON,
  entryPoints: [
    "index.html",
    "check.html",
    "main.ts",
    "features/check/check.css",
    "first-paint.ts",
    "page/page.css",
    "favicon.svg",
    TEMPLATE,
  ],
  format: "esm",
  target: "es2022",
  loader: { ".html": "copy", ".json": "copy", ".svg": "copy", ".woff2": "file" },
  plugins: [CHOSEN_WORDS],
};

/** It runs in browsers that are too old for the page, and says so. */
const CHECK = { ...PAGE, entryPoints: ["check.ts"], target: "es2020" };

/** Addresses of what was built, relative to index.html, by the name of its source. */
function addressesIn({ outputs }) {
  return Object.fromEntries(
    Object.entries(outputs).map(([path, { entryPoint, inputs }]) => {
      const source = entryPoint ?? Object.keys(inputs)[0];
      return [source.split("/").at(-1), relative(DIST, path)];
    }),
  );
}

/** Writes a file beside its compressed forms, where those are smaller. A name with a hash is written once. @returns all names */
function write(path, body) {
  const place = join(DIST, path);
  const packed = /\.woff2$/.test(path) ? {} : { [`${place}.br`]: brotli, [`${place}.gz`]: gzip };
  if (path.endsWith(".html") || !existsSync(place)) {
    mkdirSync(dirname(place), { recursive: true });
    for (const [name, compress] of Object.entries(packed)) {
      const bytes = compress(body);
      if (bytes.length < body.length) replace(name, bytes);
    }
    replace(place, body);
  }
  return [place, ...Object.keys(packed)];
}

function brotli(body) {
  return brotliCompressSync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
}

function gzip(body) {
  return gzipSync(body, { level: 9 });
}

/** At once: a server may read meanwhile. */
function replace(place, body) {
  writeFileSync(`${place}.new`, body);
  renameSync(`${place}.new`, place);
}

/** The text behind "texts.play", for HTML. */
function textCalled(name) {
  const text = name.startsWith("texts.") && texts[name.slice("texts.".length)];
  return text && text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Assets first, the pages that name them last; then what no longer belongs to them goes. */
function writeAll(results) {
  const addresses = Object.assign({}, ...results.map(({ metafile }) => addressesIn(metafile)));
  const files = results.flatMap(({ outputFiles }) => outputFiles);
  const isPage = ({ path }) => path.endsWith(".html");
  const places = files
    .filter((file) => !isPage(file))
    .flatMap(({ path, contents }) => write(relative(DIST, path), contents));
  for (const name of PAGES) {
    const { text } = files.find(({ path }) => relative(DIST, path) === addresses[name]);
    const page = text.replace(/\{\{(.+?)\}\}/g, (_, source) => {
      const filled = addresses[source] ?? textCalled(source);
      if (!filled) throw new Error(`${name} names ${source}, which is not built`);
      return filled;
    });
    places.push(...write(name, Buffer.from(page)));
  }
  for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
    const place = join(entry.parentPath, entry.name);
    if (entry.isFile() && !places.includes(place)) rmSync(place);
  }
}

const plotly = await esbuild.build(PLOTLY);
if (OPTIONS.watch) {
  const built = new Map([PAGE, CHECK].map((options) => [options, null]));
  for (const options of built.keys()) {
    const writing = {
      name: "write",
      setup: ({ onEnd }) =>
        onEnd((result) => {
          if (result.errors.length) return;
          built.set(options, result);
          if (![...built.values()].every(Boolean)) return;
          writeAll([...built.values(), plotly]);
          console.log("the page is built");
        }),
    };
    await (await esbuild.context({ ...options, plugins: [CHOSEN_WORDS, writing] })).watch();
  }
} else {
  writeAll([await esbuild.build(PAGE), await esbuild.build(CHECK), plotly]);
}
