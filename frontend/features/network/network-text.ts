/**
 * The network in words for screen readers: units, dead units and largest weight of each layer.
 * Owns: the sentence and the table.
 */

import { html } from "lit";
import { isOpen } from "../../core/findings.ts";
import { integer, number, plural } from "../../core/format.ts";
import { activationWord } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Experiment, Run } from "../../core/types.ts";

/**
 * " since step 214" if the whole layer is dead and the Doctor knows since when.
 * @param layer from 1
 */
function since({ findings }: Run, layer: number) {
  const dead = findings.find(
    (finding) =>
      finding.rule === "dead_layer" && isOpen(finding) && finding.subject.layer === layer,
  );
  return dead ? texts.sinceStepXTail(integer(dead.since_step)) : "";
}

export function networkText(
  run: Run,
  { recipe: { network }, features, outputs, weights }: Experiment,
) {
  const last = activationWord(network.output);
  const dead = network.layers.map((_, k) => run.units?.layers[k]?.dead.filter(Boolean).length ?? 0);
  const hidden = network.layers.map(({ units, activation }, k) =>
    texts.xYWithZDead(units, activationWord(activation), dead[k], since(run, k + 1)),
  );
  const sentence = [
    texts.networkOfRunXY(run.label, plural(features, "input")),
    ...hidden,
    texts.outputsOfXY(outputs, last),
  ].join(", ");
  const rows = weights.map((name, k) => {
    const layer = network.layers[k];
    const title = layer
      ? texts.layerXY(k + 1, activationWord(layer.activation))
      : texts.outputX(last);
    return html`<tr><th scope="row">${title}</th><td>${layer?.units ?? outputs}</td>
      <td>${layer ? dead[k] : "–"}</td>
      <td>${number(run.weights?.of[name].largest ?? null)}</td></tr>`;
  });
  const table = html`<table>
    <caption>${texts.layersOfRunX(run.label)}</caption>
    <thead><tr><th scope="col">${texts.layerLabel}</th><th scope="col">${texts.units}</th><th scope="col">${texts.deadLabel}</th>
      <th scope="col">${texts.largestWeight}</th></tr></thead>
    <tbody>${rows}</tbody></table>`;
  return { sentence, table };
}
