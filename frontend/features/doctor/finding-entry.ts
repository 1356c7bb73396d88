/**
 * One finding in the Doctor's list: title, evidence, reasons and remedies.
 * Owns: its elements, and whether its reasons are open.
 */

import { button } from "../../ui/controls.ts";
import { make, nodeOf, set, write } from "../../ui/dom.ts";
import { glyph } from "../../ui/icons.ts";
import { evidenceWords, glyphOf, kindWord, toneOf } from "../../core/findings.ts";
import { integer } from "../../core/format.ts";
import { openedAt } from "../../core/inspected.ts";
import { isFork, isInForce, noRoomWords } from "./remedies.ts";
import { isLocked, mayChange } from "../../core/selectors.ts";
import type { App, Finding, State } from "../../core/types.ts";

const MOST_REMEDIES = 2;
let count = 0;

/** The paragraph that "Why?" opens, with its line of NumPy as a link. */
function reasons(why: Finding["why"], look: (code: string) => void) {
  const { text, code } = why ?? { text: "", code: "" };
  if (!code) return [text];
  return [
    text,
    " ",
    make("code", {}, code),
    " ",
    button(
      { look: "as-link", more: { "aria-label": `Show the line: ${code}` }, act: () => look(code) },
      "Show the line",
    ),
  ];
}

export function findingEntry(app: App) {
  const [sign, title, evidence] = [make("span", { role: "img" }), make("h3", {}), make("span", {})];
  const why = make("p", { class: "why", id: `why-${++count}`, hidden: true });
  const ask = button(
    {
      look: "as-link",
      more: { "aria-expanded": "false", "aria-controls": why.id },
      act: () => open(why.hidden !== false),
    },
    "Why?",
  );
  const [acts, noRoom] = [make("div", { class: "acts" }), make("p", { class: "hint no-room" })];
  const root = make(
    "li",
    { class: "finding" },
    sign,
    title,
    make("p", { class: "evidence" }, evidence, " ", ask),
    why,
    acts,
    noRoom,
  );
  let last: Finding | null = null;
  let run = "";

  function open(isOpen: boolean) {
    why.hidden = !isOpen;
    set(ask, { "aria-expanded": String(isOpen) });
  }

  function build(finding: Finding) {
    set(root, {
      "data-rule": finding.rule,
      "data-severity": finding.severity,
      "data-tone": toneOf(finding),
      "data-since": finding.since_step,
    });
    set(sign, { "aria-label": kindWord(finding) });
    if (!last || glyphOf(last) !== glyphOf(finding))
      sign.replaceChildren(nodeOf(glyph(glyphOf(finding))));
    write(title, finding.title);
    write(evidence, evidenceWords(finding));
    // the same element stays, so that focus stays
    if (JSON.stringify(finding.why) !== JSON.stringify(last?.why))
      why.replaceChildren(
        ...reasons(finding.why, (code) =>
          app.setView(openedAt(run, code, app.environment.narrow())),
        ),
      );
    set(ask, { "aria-label": `Why? ${finding.title}`, hidden: !finding.why });
    if (JSON.stringify(finding.remedies) === JSON.stringify(last?.remedies)) return;
    acts.replaceChildren(
      ...finding.remedies.slice(0, MOST_REMEDIES).map((remedy) =>
        button(
          {
            look: "small",
            title: remedy.hint,
            act: () => isInForce(app.store.get(), remedy) || app.remedy(remedy),
          },
          remedy.label,
        ),
      ),
    );
  }

  function show(
    { run: { name }, finding }: { run: { name: string }; finding: Finding },
    state: State,
  ) {
    run = name;
    if (finding !== last) build(finding);
    last = finding;
    const isOffered = finding.remedies.length > 0 && mayChange(state);
    const reason = isOffered && finding.remedies.some(isFork) ? noRoomWords(state) : "";
    acts.hidden = !isOffered;
    noRoom.hidden = !reason;
    write(noRoom, reason);
    finding.remedies.slice(0, MOST_REMEDIES).forEach((remedy, place) => {
      const act = acts.children[place] as HTMLButtonElement;
      act.disabled = isLocked(state) || (Boolean(reason) && isFork(remedy));
      // aria-disabled, because a disabled button would lose focus
      set(act, { "aria-disabled": isInForce(state, remedy) ? "true" : null });
    });
  }

  return { root, show };
}

/** A past finding, in one line. */
export function earlierEntry(finding: Finding) {
  const until = finding.until_step === null ? "" : ` to ${integer(finding.until_step)}`;
  return make(
    "li",
    { "data-rule": finding.rule },
    make("b", {}, finding.title),
    ` Steps ${integer(finding.since_step)}${until}.`,
  );
}
