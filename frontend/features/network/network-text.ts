/**
 * The network in words for screen readers: units, dead units and largest weight of each layer.
 * Owns: the sentence and the table.
 */

import { make } from "../../ui/dom.ts";
import { isOpen } from "../../core/findings.ts";
import { integer, number, plural } from "../../core/format.ts";
import { activationWord } from "../../core/words.ts";
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
  return dead ? ` since step ${integer(dead.since_step)}` : "";
}

export function networkText(
  run: Run,
  { recipe: { network }, features, outputs, weights }: Experiment,
) {
  const dead = network.layers.map((_, k) => run.units?.layers[k]?.dead.filter(Boolean).length ?? 0);
  const hidden = network.layers.map(
    ({ units, activation }, k) =>
      `${units} ${activationWord(activation)} (${dead[k]} dead${since(run, k + 1)})`,
  );
  const sentence = [
    `Network of run ${run.label}: ${plural(features, "input")}`,
    ...hidden,
    plural(outputs, `${activationWord(network.output)} output`),
  ].join(", ");
  const table = () =>
    make(
      "table",
      {},
      make("caption", {}, `Layers of run ${run.label}`),
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ...["Layer", "Units", "Dead", "Largest weight"].map((text) =>
            make("th", { scope: "col" }, text),
          ),
        ),
      ),
      make(
        "tbody",
        {},
        ...weights.map((name, k) => {
          const layer = network.layers[k];
          return make(
            "tr",
            {},
            make(
              "th",
              { scope: "row" },
              layer
                ? `layer ${k + 1}, ${activationWord(layer.activation)}`
                : `output, ${activationWord(network.output)}`,
            ),
            make("td", {}, layer?.units ?? outputs),
            make("td", {}, layer ? dead[k] : "–"),
            make("td", {}, number(run.weights?.of[name].largest ?? null)),
          );
        }),
      ),
    );
  return { sentence, table };
}
