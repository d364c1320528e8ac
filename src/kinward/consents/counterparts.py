"""Why no row of `consents` stands for an entry."""

from kinward.consents.models import AppDownload, StoreNotification
from kinward.ledger.api import unrecorded

unrecorded("whose download is whose, as a keyed hash; consent is compared", AppDownload)
unrecorded("a store's signed word, whose effect on an account is compared", StoreNotification)
