/** Copies the text of a box. Pages without https have no clipboard: there the old way serves. */
export function copied(box: HTMLInputElement | HTMLTextAreaElement): Promise<boolean> {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(box.value).then(
      () => true,
      () => false,
    );
  box.select();
  return Promise.resolve(document.execCommand("copy"));
}
