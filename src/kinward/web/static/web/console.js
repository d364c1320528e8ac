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

// A video that was played from its beginning to its end, all of it, is said to be seen.
document.addEventListener("ended", ({ target: video }) => {
  const form = video.closest(".strand")?.querySelector(".played");
  let seconds = 0;
  for (let i = 0; i < video.played.length; i++) seconds += video.played.end(i) - video.played.start(i);
  if (form && seconds > video.duration - 0.5) htmx.trigger(form, "played");
}, true);

// One film at a time: what plays beside another is not watched.
document.addEventListener("play", ({ target: video }) => {
  for (const other of document.querySelectorAll("video")) if (other !== video) other.pause();
}, true);
