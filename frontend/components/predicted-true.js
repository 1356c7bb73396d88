/**
 * The section around the scatter of predicted against true values.
 * Owns: its heading and its room: two squares side by side.
 */

import { make, makeOwn, set, write } from "./dom.js";
import { LiveElement, register } from "./live-element.js";
import { plural } from "../state/format.js";

export class PredictedTrue extends LiveElement {
  start() {
    this.onceOpened(() => {
      const end = make("span", { class: "end" });
      const box = make("div", { class: "scatter" }, makeOwn("plotly-chart", { kind: "scatter", "aria-label": "Predicted and true, not drawn yet" }));
      this.append(make("div", { class: "head" }, make("h2", {}, "Predicted and true"), end), box);
      this.follow((state) => state.order.filter((name) => !state.runs[name].hidden).length, (count) => {
        set(box, { style: { "--rows": Math.max(1, Math.ceil(count / 2)) } });
      });
      this.follow((state) => state.experiment, (experiment) => {
        if (!experiment) return;
        const { testSamples, trainSamples } = experiment;
        write(end, testSamples ? plural(testSamples, "test sample") : plural(trainSamples, "training sample"));
      });
    });
  }
}

/** @param {import("../state/types.js").App} app */
export const registerPredictedTrue = (app) => register("predicted-true", PredictedTrue, app);
