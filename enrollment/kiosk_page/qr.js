// Draws a QR code as one SVG path.

import { generate } from "./vendor/lean-qr/index.mjs";

const QUIET = 4; // modules of white around it (ISO/IEC 18004)

/**
 * @param {SVGSVGElement} svg emptied first
 * @param {string} content
 */
export function drawCode(svg, content) {
  const code = generate(content);
  const side = code.size + 2 * QUIET;
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", modules(code).map(([x, y]) => `M${x + QUIET} ${y + QUIET}h1v1h-1z`).join(""));
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.replaceChildren(path);
}

function modules(code) {
  const dark = [];
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) dark.push([x, y]);
  }
  return dark;
}
