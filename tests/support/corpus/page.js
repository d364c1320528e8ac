// Shows files at their natural size, side by side; each answers where it stands and how it fared.
async () => {
  const WIDTH = 1360;
  const soon = (promise, ms) => Promise.race([promise, new Promise((go) => setTimeout(go, ms))]);
  const painted = () => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
  const loaded = (file) => new Promise((go) => {
    const element = document.createElement(file.element);
    element.style.cssText = "position:absolute;left:0;top:0;display:block;border:0";
    const done = (shown) => () => go({ element, shown });
    if (file.element === "img") {
      element.decoding = "sync";
      element.onload = done(true);
    } else if (file.element === "video") {
      element.muted = true;
      element.preload = "auto";
      element.onloadeddata = done(element);
    } else {
      element.onload = done(true);
    }
    element.onerror = done(false);
    setTimeout(done(false), file.element === "iframe" ? 2500 : 8000);
    element.src = file.url;
    document.body.append(element);
  });
  const sizeOf = (element) => element.tagName === "IMG" ? [element.naturalWidth, element.naturalHeight]
    : element.tagName === "VIDEO" ? [element.videoWidth, element.videoHeight]
    : sizeOfDocument(element);
  const sizeOfDocument = (frame) => {
    const media = frame.contentDocument?.querySelector("body > img, body > video");
    return media ? sizeOf(media) : [320, 240];
  };
  window.seek = async (fractions) => {
    await Promise.all([...document.querySelectorAll("video")].map(async (video, place) => {
      if (!video.videoWidth || fractions[place] === null) return;
      const length = Number.isFinite(video.duration) ? video.duration : video.seekable.length ? video.seekable.end(0) : 0;
      const wanted = fractions[place];
      const frame = new Promise((go) => video.requestVideoFrameCallback(go));
      const seeked = new Promise((go) => video.addEventListener("seeked", go, { once: true }));
      video.currentTime = wanted < 0 ? -wanted : wanted * length;
      await soon(seeked, 4000);
      await soon(frame, 400);
    }));
    await painted();
    return [...document.querySelectorAll("video")].map((video) => video.currentTime);
  };
  const results = await Promise.all(window.files.map(loaded));
  let [x, y, row] = [0, 0, 0];
  const places = results.map(({ element, shown }) => {
    const [width, height] = shown ? sizeOf(element) : [0, 0];
    if (!width) { element.style.display = "none"; return null; }
    if (x + width > WIDTH) { [x, y, row] = [0, y + row + 8, 0]; }
    Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    const place = { x, y, width, height, type: element.contentDocument?.contentType ?? "" };
    x += width + 8;
    row = Math.max(row, height);
    return place;
  });
  await painted();
  return { places, height: y + row };
}
