/**
 * "Files" of the menu: files of one run or all, charts as pictures, and import.
 * Owns: the panel. exports.ts has addresses and words, export-picture.ts makes pictures.
 */

import { html, nothing } from "lit";
import { selectOf } from "../../ui/controls.ts";
import { savePicture } from "./export-picture.ts";
import { openPopover } from "../../ui/popover.ts";
import { ALL, choicesOf, filesOf, picturesOf } from "./exports.ts";
import { TYPES } from "./opened-file.ts";
import * as texts from "../../words/english.ts";
import type { FileToTake, Pictured } from "./exports.ts";
import type { App } from "../../core/types.ts";

const FAILED = texts.thePictureCouldNotBeMade;

const fileRow = ({ name, href, help, of }: FileToTake) =>
  html`<li><a href=${href} download="">${name}</a><span class="muted">${of ? `${of}: ${help}` : help}</span></li>`;

export function openFiles(app: App, anchor: () => Element | null) {
  const choice = { run: ALL, failed: false };
  const put = (part: Partial<typeof choice>) => {
    Object.assign(choice, part);
    update();
  };
  const opened = app.store.get();
  const { close, update } = openPopover({
    anchor,
    name: texts.files,
    role: "dialog",
    look: "exports",
    content: () => {
      const state = app.store.get();
      const runs = selectOf(choice.run, {
        name: texts.runsToExport,
        options: choicesOf(state),
        choose: (run) => put({ run }),
      });
      return html`
        <div class="head"><h2>${texts.files}</h2>${runs}</div>
        <ul class="files">${filesOf(state, choice.run).map(fileRow)}</ul>
        <h2>${texts.chartsAsShown}</h2>
        <ul class="files">${picturesOf(opened, innerWidth).map((one) => pictureRow(app, one, put))}</ul>
        <p class="complaint" role="alert" ?hidden=${!choice.failed}>${choice.failed ? FAILED : nothing}</p>
        <h2>${texts.openAgain}</h2>
        <p class="line hint">${texts.aRecipeOrInitialParameters}${opener(app, () => close())}</p>`;
    },
  });
}

function opener(app: App, close: () => void) {
  const take = ({ target }: Event) => {
    const file = (target as HTMLInputElement).files?.[0];
    close();
    if (file) void app.openFile(file);
  };
  const choose = ({ currentTarget }: Event) =>
    ((currentTarget as Element).nextElementSibling as HTMLElement).click();
  return html`<span
    ><button type="button" class="button small" @click=${choose}>${texts.openAFile}</button
    ><input type="file" accept=${TYPES} hidden @change=${take}></span>`;
}

function pictureRow(app: App, { kind, text }: Pictured, put: (part: { failed: boolean }) => void) {
  const save = (type: "png" | "svg") => html`<button type="button" class="button small"
    aria-label=${texts.xAsY(text, type.toUpperCase())}
    @click=${() =>
      savePicture(app, kind, type).then(
        () => put({ failed: false }),
        () => put({ failed: true }),
      )}>${type.toUpperCase()}</button>`;
  return html`<li><span>${text}</span>${save("png")}${save("svg")}</li>`;
}
