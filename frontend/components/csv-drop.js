/**
 * Files that are dragged over the page: one part of it takes them, everywhere else they do nothing, where a browser would
 * leave the page for the file.
 * Owns: the drag's events and how the part looks meanwhile. Must not know what is done with a file.
 */

/** @param {DragEvent} event */
const brings = (event) => event.dataTransfer?.types.includes("Files") ?? false;

/**
 * @param {HTMLElement} place
 * @param {() => boolean} isOpen   does it take files now
 * @param {(file: File) => void} take
 */
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

/** What is dropped beside every place that takes files is not opened by the browser instead of the page. */
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
