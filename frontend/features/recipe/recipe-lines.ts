/**
 * The lines of data and network in the recipe. Each opens its settings.
 * Owns: the lines, and files dropped on the data.
 */

import { html } from "lit";
import { openCsvDialog } from "./csv-dialog.ts";
import { takeDrops } from "./csv-drop.ts";
import { dataLine, networkLine } from "./recipe-words.ts";
import { icon } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { isLocked } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { Line } from "./recipe-words.ts";
import type { App, State } from "../../core/types.ts";

const lineOf = (app: App, opens: string, name: string, { value, detail }: Line) =>
  html`<button type="button" class="recipe-line" data-opens=${opens} aria-expanded="false"
    @click=${() => app.setView({ opened: opens })}
    ><span class="kind">${name}</span> <span class="value">${value}</span> <span class="detail">${detail}</span
    >${icon("next")}</button>`;

export class DataLine extends ExperimentElement {
  override shows({ experiment }: State) {
    return experiment;
  }

  override start() {
    takeDrops(
      this,
      () => !isLocked(this.state),
      (file) => openCsvDialog({ file }),
    );
  }

  override render() {
    return lineOf(this.app, "data", texts.data, dataLine(this.experiment));
  }
}

export class NetworkLine extends ExperimentElement {
  override shows({ experiment }: State) {
    return experiment;
  }

  override render() {
    return lineOf(this.app, "network", texts.network, networkLine(this.experiment));
  }
}
