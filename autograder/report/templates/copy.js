"use strict";
// Puts a button that copies above each program. Without scripts the program is there as text that can be selected.
(() => {
  for (const program of document.querySelectorAll("pre.program")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    const select = () => {
      const range = document.createRange();
      range.selectNodeContents(program);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
    };
    button.addEventListener("click", async () => {
      select();
      try {
        await navigator.clipboard.writeText(program.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
      }
    });
    program.before(button);
  }
})();
