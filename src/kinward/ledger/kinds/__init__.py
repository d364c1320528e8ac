"""Every kind of ledger entry, with its fields: one struct each, in the module of its subject.

A new kind is a class there. What is written stays readable for ever, so a kind is never renamed and
never loses a field. A field that comes later is optional.
"""

from typing import Final

from kinward.ledger.kinds.accounts import *
from kinward.ledger.kinds.cases import *
from kinward.ledger.kinds.custody import *
from kinward.ledger.kinds.enforcement import *
from kinward.ledger.kinds.erasure import *
from kinward.ledger.kinds.evidence import *
from kinward.ledger.kinds.fact import Fact as Fact
from kinward.ledger.kinds.families import *
from kinward.ledger.kinds.keys import *
from kinward.ledger.kinds.ledger import *
from kinward.ledger.kinds.matching import *
from kinward.ledger.kinds.operators import *
from kinward.ledger.kinds.policy import *
from kinward.ledger.kinds.redress import *
from kinward.ledger.kinds.reporting import *
from kinward.ledger.kinds.staff import *

KINDS: Final = {fact.kind: fact for fact in Fact.__subclasses__()}
