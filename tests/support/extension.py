"""An extension of `threatexchange`, as anybody could write one."""

from typing import Any

from threatexchange.exchanges import fetch_state as state
from threatexchange.exchanges.collab_config import CollaborationConfigBase
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.pdq.signal import PdqSignal


class PracticeAPI(SignalExchangeAPI[Any, Any, Any, Any, Any]):
    """Shares one PDQ hash, under a key of its own."""

    @classmethod
    def get_name(cls) -> str:
        return "practice"

    @classmethod
    def for_collab(cls, collab: Any) -> "PracticeAPI":
        made = cls()
        made.collab = collab
        return made

    collab: Any

    @staticmethod
    def get_checkpoint_cls() -> Any:
        return state.FetchCheckpointBase

    @staticmethod
    def get_record_cls() -> Any:
        return state.FetchedSignalMetadata

    @staticmethod
    def get_config_cls() -> Any:
        return CollaborationConfigBase

    def fetch_iter(self, supported: Any, checkpoint: Any) -> Any:
        yield state.FetchDelta({"the one": "0f" * 32}, state.FetchCheckpointBase())

    @classmethod
    def naive_convert_to_signal_type(cls, types: Any, collab: Any, fetched: Any) -> Any:
        return {PdqSignal: {text: state.FetchedSignalMetadata() for text in fetched.values()}}


TX_MANIFEST = ThreatExchangeExtensionManifest(apis=(PracticeAPI,))
