/**
 * A box for one number. A refused text stays in the box, with a message.
 * Owns: reading, refusing and restoring. Subclasses place the box and the message.
 */

import { html, nothing } from "lit";
import { complaintAt, readNumber } from "./controls.ts";
import { fullHelp, helpId, helpLine } from "./help-line.ts";
import { LightElement } from "./live-element.ts";
import { setting } from "../core/format.ts";
import { canBeOff, explained, isWhole, refusalOf } from "../core/parameters.ts";
import { nameFor } from "../core/words.ts";
import * as texts from "../words/english.ts";
import type { PropertyDeclarations, PropertyValues } from "lit";
import type { Parameter } from "../core/catalog.ts";
import type { Problem } from "../core/types.ts";

export abstract class NumberBox extends LightElement {
  static override properties: PropertyDeclarations = {
    parameter: {},
    value: {},
    text: {},
    name: {},
    problem: {},
    complaint: { state: true },
  };
  declare parameter: Parameter;
  declare value: number | null;
  declare text?: string; // the visible label, if not the parameter's own name
  declare name?: string; // the full name: "Learning rate of GD"
  declare problem?: Problem | null;
  declare complaint: string | null;
  /** JSON pointers of the server's messages about this number */
  pointers: string[] = [];
  format: (value: number) => string = setting;
  /** Why a number is not allowed, or null. */
  refuse?: (value: number) => string | null;
  /** Receives a number, or null if switched off. */
  apply: (value: any) => void = () => {};
  readonly helpId = helpId();

  override willUpdate(changed: PropertyValues) {
    if (changed.has("value")) this.complaint = null;
    if (changed.has("problem"))
      this.complaint = complaintAt(this.problem ?? null, ...this.pointers);
  }

  get box() {
    return this.querySelector(".number") as HTMLInputElement;
  }

  get label() {
    return this.text ?? nameFor("settings", this.parameter.name);
  }

  get written() {
    return this.value === null ? "" : this.format(this.value);
  }

  /** @param isExplained if `help` stands beside it */
  input(isExplained = true) {
    const { parameter, complaint } = this;
    return html`<input class="input number" type="text" autocomplete="off" spellcheck="false"
      inputmode=${isWhole(parameter) ? "numeric" : "decimal"}
      placeholder=${canBeOff(parameter) ? texts.switchedOff : nothing}
      aria-label=${this.name ?? this.label} aria-invalid=${complaint ? "true" : nothing}
      aria-describedby=${isExplained ? this.helpId : nothing}
      title=${isExplained ? fullHelp(explained(parameter)) : nothing}
      style="--letters: ${this.written.length}" .value=${this.written} @change=${this.#commit} @keydown=${this.#restore}>`;
  }

  get message() {
    const { complaint } = this;
    return html`<p class="complaint" role="alert" ?hidden=${!complaint}>${complaint}</p>`;
  }

  get help() {
    return helpLine(this.helpId, explained(this.parameter));
  }

  #commit() {
    // locked while somebody types, the box loses the focus: nobody has finished this number
    if (this.box.matches(":disabled")) return void (this.box.value = this.written);
    const { value: text } = this.box;
    const isOff = canBeOff(this.parameter) && /^(off)?$/i.test(text.trim());
    const value = isOff ? null : readNumber(text);
    const refuse = this.refuse ?? refusalOf(this.parameter);
    this.complaint =
      value === null ? null : Number.isFinite(value) ? refuse(value) : texts.thisIsNotANumber;
    if (this.complaint !== null) return;
    if (value === this.value) this.box.value = this.written;
    else this.apply(value);
  }

  /** Escape first takes back what was typed, and only then reaches what the box stands in. */
  #restore(event: KeyboardEvent) {
    if (event.key !== "Escape") return;
    if (this.complaint !== null || this.box.value !== this.written) event.preventDefault();
    this.complaint = null;
    this.box.value = this.written;
  }
}
