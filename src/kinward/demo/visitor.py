"""A visitor without a browser, who signs up and posts through the community's pages."""

import re
from typing import Final

import httpx

TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Visitor:
    """One member's session with the demo community."""

    def __init__(self, url: str, handle: str, age: int) -> None:
        self._http = httpx.Client(base_url=url, follow_redirects=True, timeout=60, trust_env=False)
        self._send("/join", {"handle": handle, "age": str(age)})

    def post(self, data: bytes, *, filename: str = "picture.png", caption: str = "") -> str:
        """Post a picture; returns the HTML of the next page."""
        return self._send("/post", {"caption": caption}, {"picture": (filename, data, "image/png")})

    def _send(
        self,
        path: str,
        form: dict[str, str],
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> str:
        page = self._http.get("/join" if path == "/join" else "/mine")
        token = TOKEN.search(page.text)
        if token is None:
            raise RuntimeError(f"No form on {page.url}: HTTP {page.status_code}")
        fields = {"csrfmiddlewaretoken": token.group(1), **form}
        return self._http.post(path, data=fields, files=files).raise_for_status().text
