// A part of the page that stays true by itself: [data-live] names where it comes from, and
// [data-every] after how many seconds.

const EVERY = 10;

for (const part of document.querySelectorAll("[data-live]")) {
  setInterval(() => {
    if (!document.hidden) {
      refresh(part);
    }
  }, 1000 * (part.dataset.every ?? EVERY));
}

async function refresh(part) {
  try {
    const response = await fetch(part.dataset.live);
    if (response.status === 401) {
      location.reload(); // the session is over: the page leads to the sign-in
      return;
    }
    if (!response.ok) {
      throw new Error(`status ${response.status}`);
    }
    replace(part, await response.text());
    part.classList.remove("stale");
  } catch {
    part.classList.add("stale");
  }
}

/** Put new content in, unless somebody is reading a part that would close under their eyes. */
function replace(part, html) {
  const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
  const focused = document.activeElement;
  const hasFocus = part.contains(focused) ? focused.closest("[id]")?.id : undefined;
  const parsed = new DOMParser().parseFromString(html, "text/html");
  part.replaceChildren(...parsed.body.childNodes);
  for (const id of open) {
    document.getElementById(id)?.setAttribute("open", "");
  }
  if (hasFocus) {
    const holder = document.getElementById(hasFocus);
    (holder?.querySelector("summary") ?? holder)?.focus();
  }
}
