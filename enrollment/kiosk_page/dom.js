// Short names for what many modules do with the document and the page's files.

/** @param {string} id of an element that index.html has @returns {HTMLElement} */
export function byId(id) {
  return document.getElementById(id);
}

/** Listen for as long as a screen is shown. */
export function on(id, type, listener, signal) {
  byId(id).addEventListener(type, listener, { signal });
}

/** Read one of the page's own files. @param {string} path below /kiosk/ */
export async function readJson(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}
