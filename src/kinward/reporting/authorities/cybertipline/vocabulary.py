"""The CyberTipline's vocabulary, by the names of its schema. Pure."""

from typing import Final

from kinward.guidelines import Incident
from kinward.reporting.vocabulary import COMMON_ANNOTATIONS, INDUSTRY_CLASSES, Vocabulary

INCIDENT_TYPES: Final[dict[Incident, str]] = {
    "imagery": "Child Pornography (possession, manufacture, and distribution)",
    "enticement": "Online Enticement of Children for Sexual Acts",
    "trafficking": "Child Sex Trafficking",
    "tourism": "Child Sex Tourism",
    "molestation": "Child Sexual Molestation",
    "misleading domain": "Misleading Domain Name",
    "misleading words": "Misleading Words or Digital Images on the Internet",
    "unsolicited": "Unsolicited Obscene Material Sent to a Child",
}
ANNOTATIONS: Final = {
    "sextortion": "sextortion",
    "solicitation": "csamSolicitation",
    "between minors": "minorToMinorInteraction",
    "spam": "spam",
    "sadistic exploitation": "sadisticOnlineExploitation",
}
VOCABULARY: Final = Vocabulary(
    classes=INDUSTRY_CLASSES,
    annotations=COMMON_ANNOTATIONS,
    incidents=frozenset(INCIDENT_TYPES),
)
