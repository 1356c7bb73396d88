/**
 * Files dragged over the page: one part accepts them; elsewhere nothing happens, where a browser would leave the page.
 * Owns: drag events, and the look of that part meanwhile.
 */

/** @param {DragEvent} event */
const brings = (event) => event.dataTransfer?.types.includes("Files") ?? false;

/** @param {HTMLElement} place @param {() => boolean} isOpen  accepts files now @param {(file: File) => void} take */
export function takeDrops(place, isOpen, take) {
  const look = (/** @type {boolean} */ over) => void place.classList.toggle("dropping", over);
  const over = (/** @type {DragEvent} */ event) => {
    if (!brings(event) || !isOpen()) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    look(true);
  };
  place.addEventListener("dragenter", over);
  place.addEventListener("dragover", over);
  place.addEventListener("dragleave", (event) => {
    if (!place.contains(/** @type {Node|null} */ (event.relatedTarget))) look(false);
  });
  place.addEventListener("drop", (event) => {
    look(false);
    const file = event.dataTransfer?.files[0];
    if (!file || !isOpen()) return;
    event.preventDefault();
    event.stopPropagation();
    take(file);
  });
}

/** Keeps the browser from opening files dropped elsewhere. */
export function refuseStrayDrops() {
  for (const type of ["dragover", "drop"]) {
    document.addEventListener(type, (event) => {
      if (!brings(/** @type {DragEvent} */ (event))) return;
      event.preventDefault();
      const { dataTransfer } = /** @type {DragEvent} */ (event);
      if (dataTransfer) dataTransfer.dropEffect = "none";
    });
  }
}
