/**
 * Names in the browser's storage. Owns: which server's they are. Servers under several paths of one
 * origin share its storage. Pure.
 */

/**
 * A name in the storage for the server at this path.
 * @param pathname of the page
 */
export function storedName(name: string, pathname: string) {
  const path = pathname.slice(0, pathname.lastIndexOf("/"));
  return path ? `${name}@${path}` : name;
}
