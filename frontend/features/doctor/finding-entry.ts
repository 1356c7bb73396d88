/**
 * One finding in the Doctor's list: title, evidence, what did it, reasons, remedies and outcomes.
 * Owns: its template. The list knows whether its reasons are open.
 */

import { html, nothing } from "lit";
import { glyph } from "../../ui/icons.ts";
import { explained, hoverTerm } from "../../ui/term.ts";
import { evidenceWords, glyphOf, kindWord, toneOf } from "../../core/findings.ts";
import { integer } from "../../core/format.ts";
import { openedAt } from "../../core/inspected.ts";
import { isFork, isInForce, noRoomWords } from "./remedies.ts";
import { isLocked, mayChange } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { App, Finding, Remedy, State } from "../../core/types.ts";
import type { Did } from "../../core/wire-types.ts";

const MOST_REMEDIES = 2;

/** The change that did it, and a button that shows its step. */
function culprit({ step, text }: Did, title: string, look: () => void) {
  const words = texts.showStepX(integer(step));
  return html`<p class="did"><b>${texts.whatDidIt}</b> ${text}
    <button type="button" class="button as-link" aria-label="${words}: ${title}"
      @click=${look}>${words}</button></p>`;
}

/** Shows the first step of a finding that no single step did; being well has no step to look at. */
function onset({ rule, did, since_step: since, title }: Finding, look: () => void) {
  if (did || rule === "healthy") return nothing;
  const words = texts.showStepX(integer(since));
  return html`<button type="button" class="button as-link onset" aria-label="${words}: ${title}"
    @click=${look}>${words}</button>`;
}

/** The outcomes of remedies that were taken, in runs that are still there. */
const outcomesOf = ({ outcomes = [] }: Finding, { runs }: State) =>
  outcomes
    .filter(({ run }) => runs[run])
    .map(({ text }) => html`<p class="outcome"><b>${texts.whatCameOfIt}</b> ${text}</p>`);

/** The finding's line of NumPy, as a link. Being well shows it with its reasons. */
function lineOf({ why }: Finding, isShown: boolean, look: () => void) {
  if (!why?.code) return nothing;
  return html`<p class="line" ?hidden=${!isShown}><button type="button" class="button as-link"
    aria-label=${texts.showTheLineX(why.code)} @click=${look}><code>${why.code}</code></button></p>`;
}

/**
 * @param id of its reasons, unique on the page
 * @param toggle opens or closes them
 */
export function findingEntry(
  app: App,
  run: string,
  finding: Finding,
  { id, isOpen, toggle }: { id: string; isOpen: boolean; toggle: () => void },
) {
  const state = app.store.get();
  const isOffered = finding.remedies.length > 0 && mayChange(state);
  const noRoom = isOffered && finding.remedies.some(isFork) ? noRoomWords(state) : "";
  // aria-disabled, because a disabled button would lose focus
  const remedy = (each: Remedy) => html`<button type="button" class="button small"
    title=${each.hint ?? nothing}
    ?disabled=${isLocked(state) || (noRoom !== "" && isFork(each))}
    aria-disabled=${isInForce(state, each) ? "true" : nothing}
    @click=${() => isInForce(app.store.get(), each) || app.remedy(each)}><span>${explained(each.label, hoverTerm)}</span></button>`;
  const { did, why } = finding;
  const look = (step: number, line: string) => {
    app.lookAt(step);
    app.setView(openedAt(run, line));
  };
  const lookAtIt = () => did && look(did.step, did.parameter);
  const lookAtWhy = () => look(finding.since_step, why?.code ?? "");
  return html`<li class="finding" data-rule=${finding.rule} data-severity=${finding.severity}
      data-tone=${toneOf(finding)} data-since=${finding.since_step}>
    <span role="img" aria-label=${kindWord(finding)}>${glyph(glyphOf(finding))}</span>
    <h3>${finding.title}</h3>
    <p class="evidence"><span>${explained(evidenceWords(finding))}</span>
      <button type="button" class="button as-link" aria-expanded=${isOpen} aria-controls=${id}
        aria-label=${texts.whyX(finding.title)} ?hidden=${!why} @click=${toggle}>${texts.why}</button>
      ${onset(finding, lookAtWhy)}</p>
    <p class="why" id=${id} ?hidden=${!isOpen}>${why ? explained(why.text) : nothing}</p>
    ${lineOf(finding, isOpen || finding.rule !== "healthy", lookAtWhy)}
    ${did ? culprit(did, finding.title, lookAtIt) : nothing}
    ${outcomesOf(finding, state)}
    <p class="lower-rate" ?hidden=${!finding.lower_rate}>${finding.lower_rate ? explained(finding.lower_rate) : nothing}</p>
    <div class="acts" ?hidden=${!isOffered}>${finding.remedies.slice(0, MOST_REMEDIES).map(remedy)}</div>
    <p class="hint no-room" ?hidden=${!noRoom}>${noRoom}</p>
  </li>`;
}

/** A past finding, in one line, and what came of its remedies. */
export function earlierEntry(finding: Finding, state: State) {
  const until = finding.until_step === null ? "" : texts.toXTail(integer(finding.until_step));
  return html`<li data-rule=${finding.rule}><b>${finding.title}</b>
    ${texts.stepsXY(integer(finding.since_step), until)}
    ${outcomesOf(finding, state)}</li>`;
}
