/**
 * Files dragged over the page: one part accepts them; elsewhere nothing happens, where a browser
 * would leave the page.
 * Owns: drag events, and the look of that part meanwhile.
 */

const brings = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

/** @param isOpen accepts files now */
export function takeDrops(place: HTMLElement, isOpen: () => boolean, take: (file: File) => void) {
  const look = (over: boolean) => void place.classList.toggle("dropping", over);
  const over = (event: DragEvent) => {
    if (!brings(event) || !isOpen()) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    look(true);
  };
  place.addEventListener("dragenter", over);
  place.addEventListener("dragover", over);
  place.addEventListener("dragleave", (event) => {
    if (!place.contains(event.relatedTarget as Node | null)) look(false);
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
      if (!brings(event as DragEvent)) return;
      event.preventDefault();
      const { dataTransfer } = event as DragEvent;
      if (dataTransfer) dataTransfer.dropEffect = "none";
    });
  }
}
