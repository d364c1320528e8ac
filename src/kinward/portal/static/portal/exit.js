// The quick way out: replaces this page in the tab's history, so that Back does not lead here.
const leave = () => location.replace(document.querySelector("[data-exit]").href);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
document.querySelector("[data-exit]").addEventListener("click", (event) => { event.preventDefault(); leave(); });
