// While the feed is closed, look each second whether somebody has opened it.
setInterval(async () => {
  const answer = await fetch("/time").then((response) => response.json()).catch(() => ({}));
  if (answer.open) location.reload();
}, 1000);
