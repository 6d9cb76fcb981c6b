// No picture outlives the look at it, also where a browser keeps a page to go back to.

addEventListener("pagehide", () => {
  for (const image of document.querySelectorAll(".faces img")) {
    image.remove();
  }
});
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.replace("/console/reviews");
  }
});
