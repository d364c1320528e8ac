// Keyboard shortcuts: an element with data-key="x" is chosen (a radio) or pressed (a button) by x.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.focus();
  target.click();
});
