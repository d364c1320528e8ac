"""python-threatexchange's own interfaces, unchanged but for the address that NCMEC's has fixed."""

from typing import Any

from threatexchange.exchanges.clients.ncmec import hash_api
from threatexchange.exchanges.impl.ncmec_api import NCMECSignalExchangeAPI
from threatexchange.exchanges.impl.stop_ncii_api import StopNCIISignalExchangeAPI
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest


class TheirNcmec(NCMECSignalExchangeAPI):
    """NCMEC's, at `url`."""

    url = ""

    @classmethod
    def get_name(cls) -> str:
        return "their_ncmec"

    def get_client(self, environment: Any) -> hash_api.NCMECHashAPI:
        client = super().get_client(environment)
        client._base_url = self.url
        return client


class TheirStopNcii(StopNCIISignalExchangeAPI):
    """StopNCII's, whose credentials name an address."""

    @classmethod
    def get_name(cls) -> str:
        return "their_stop_ncii"


TX_MANIFEST = ThreatExchangeExtensionManifest(apis=(TheirNcmec, TheirStopNcii))
