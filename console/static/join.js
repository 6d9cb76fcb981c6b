// The one-time code stands behind the #, where no server sees it: move it into the form.

function takeCode() {
  const code = location.hash.slice(1);
  if (code) {
    document.getElementById("code").value = code;
    history.replaceState(null, "", location.pathname);
  }
}

takeCode();
addEventListener("hashchange", takeCode);
