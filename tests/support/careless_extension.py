"""Extensions of `threatexchange` that bound nothing themselves."""

import threading
from typing import Any, Final

import requests
from threatexchange.exchanges import fetch_state as state
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest

from tests.support.extension import PracticeAPI

WHERE: Final = {"url": ""}
OVER: Final = threading.Event()


class Downloads(PracticeAPI):
    """Downloads its list with `requests`, and follows each page's word."""

    @classmethod
    def get_name(cls) -> str:
        return "downloads"

    def fetch_iter(self, supported: Any, checkpoint: Any) -> Any:
        body = requests.get(WHERE["url"]).text  # noqa: S113  as anybody could write one
        yield state.FetchDelta({"the one": body}, state.FetchCheckpointBase())


class Waits(PracticeAPI):
    """Shares a hash, and then waits for ever, as a client of another library could."""

    @classmethod
    def get_name(cls) -> str:
        return "waits"

    def fetch_iter(self, supported: Any, checkpoint: Any) -> Any:
        yield state.FetchDelta({"the one": "0f" * 32}, state.FetchCheckpointBase())
        OVER.wait()


class Breaks(PracticeAPI):
    """Has a record that its own conversion does not survive."""

    @classmethod
    def get_name(cls) -> str:
        return "breaks"

    def fetch_iter(self, supported: Any, checkpoint: Any) -> Any:
        yield state.FetchDelta({"bad": "", "the one": "0f" * 32}, state.FetchCheckpointBase())

    @classmethod
    def naive_convert_to_signal_type(cls, types: Any, collab: Any, fetched: Any) -> Any:
        if "" in fetched.values():
            raise RuntimeError("no such thing")
        return super().naive_convert_to_signal_type(types, collab, fetched)


TX_MANIFEST = ThreatExchangeExtensionManifest(apis=(Downloads, Waits, Breaks))
